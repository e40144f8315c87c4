package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/runtime/image/build/buildtest"
	"pipec.dev/pipec/runtime/image/index"
	"pipec.dev/pipec/runtime/image/registry"
	"pipec.dev/pipec/runtime/image/wheel/wheeltest"
	"pipec.dev/pipec/schema/program"
)

// TestSBOM: a real registry accepts the SBOM of an image, and lists it as a referrer of the image.
func TestSBOM(t *testing.T) {
	c := testcluster.Env(t)
	base, err := buildtest.Base("amd64")
	if err != nil {
		t.Fatal(err)
	}
	from, err := name.ParseReference(c.Registry + "/e2e/sbom/base:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(from, base); err != nil {
		t.Fatal(err)
	}
	dir, cache := t.TempDir(), t.TempDir()
	w := wheeltest.Wheel{Name: "app", Version: "1.0", Files: map[string]string{"app.py": "x = 1\n"}}
	sum := sha256.Sum256(w.Bytes())
	for file, data := range map[string][]byte{w.Filename(): w.Bytes(), "requirements.txt": []byte("app==1.0 --hash=sha256:" + hex.EncodeToString(sum[:]) + "\n")} {
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	client, err := registry.New(registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	downloads, err := index.New(index.Options{Dir: dir, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	b := build.Builder{Dir: dir, Cache: cache, Registry: client, Index: downloads, Getenv: func(string) string { return "" }}
	block := &program.Image{Name: "train", Base: from.String(), Lock: "requirements.txt", IndexURL: "none", FindLinks: []string{"."}}
	plan, err := b.Resolve(t.Context(), block, &program.Lock{}, build.Upgrade{})
	if err != nil {
		t.Fatal(err)
	}
	built, err := b.Build(t.Context(), plan, c.Registry+"/e2e/sbom/train:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Push(t.Context(), built, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // attaching a document again changes nothing
		if err := b.Attach(t.Context(), plan, built); err != nil {
			t.Fatal(err)
		}
		subject, err := name.NewDigest(c.Registry + "/e2e/sbom/train@" + built.Image.Digest)
		if err != nil {
			t.Fatal(err)
		}
		all, err := remote.Referrers(subject)
		if err != nil {
			t.Fatal(err)
		}
		list, err := all.IndexManifest()
		if err != nil || len(list.Manifests) != 1 || !strings.HasPrefix(list.Manifests[0].ArtifactType, build.SBOMType) {
			t.Fatalf("%+v, %v", list, err)
		}
	}
}
