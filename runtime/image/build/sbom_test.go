package build_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"pipec.dev/pipec/runtime/image/build"
	"pipec.dev/pipec/schema/program"
)

// TestSBOM: the packages of an image are listed in a referrer of the image. The registry of the test has no API for referrers, so
// they are found by the fallback tag.
func TestSBOM(t *testing.T) {
	p := newPlace(t)
	p.wheels(t, big("1.0"), small("1.0"))
	p.lock(t, big("1.0"), small("1.0"))
	b := p.builder(t)
	ref := p.host + "/project/train:x"
	plan, built := do(t, b, p.block(), &program.Lock{}, ref, build.Upgrade{})
	p.took()
	if err := b.Attach(t.Context(), plan, built); err != nil {
		t.Fatal(err)
	}
	if got := p.took(); len(got) != 2 { // the document and its config
		t.Errorf("%v", got)
	}
	subject, err := name.NewDigest(p.host + "/project/train@" + built.Image.Digest)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Component struct{ Name, Version string }
		}
		Components []struct {
			Type, Name, Version, PURL string
			Hashes                    []struct{ Alg, Content string }
		}
	}
	for range 2 {
		index, err := remote.Referrers(subject)
		if err != nil {
			t.Fatal(err)
		}
		list, err := index.IndexManifest()
		if err != nil || len(list.Manifests) != 1 || list.Manifests[0].ArtifactType != build.SBOMType {
			t.Fatalf("%+v, %v", list, err)
		}
		artifact, err := remote.Image(subject.Context().Digest(list.Manifests[0].Digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		layers, err := artifact.Layers()
		if err != nil || len(layers) != 1 {
			t.Fatalf("%v, %v", layers, err)
		}
		r, err := layers[0].Compressed()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil || json.Unmarshal(data, &document) != nil {
			t.Fatalf("%s, %v", data, err)
		}
		// Attaching the document again changes nothing.
		if err := b.Attach(t.Context(), plan, built); err != nil {
			t.Fatal(err)
		}
	}
	if document.BOMFormat != "CycloneDX" || document.SpecVersion != "1.5" || document.Metadata.Component.Version != built.Image.Digest || len(document.Components) != 3 {
		t.Fatalf("%+v", document)
	}
	var names []string
	for _, c := range document.Components {
		names = append(names, c.Type+" "+c.PURL)
	}
	if !slices.Equal(names, []string{"container ", "library pkg:pypi/big@1.0", "library pkg:pypi/small@1.0"}) || document.Components[2].Hashes[0].Content != hash(small("1.0").Bytes()) {
		t.Errorf("%+v", document)
	}

	// A registry that rejects artifacts.
	p.mu.Lock()
	p.fail = func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/sha256")
	}
	p.mu.Unlock()
	_, other := do(t, b, p.block(), &program.Lock{}, p.host+"/project/other:x", build.Upgrade{})
	if err := b.Attach(t.Context(), plan, other); err == nil || !strings.HasPrefix(err.Error(), "the SBOM for linux/amd64: ") {
		t.Error(err)
	}
}
