package assets_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pipec.dev/pipec/internal/app/web/assets"
)

// maxSize is how large the page may be in all, with gzip.
const maxSize = 120_000

func TestSize(t *testing.T) {
	total := 0
	for _, name := range assets.Names() {
		data := assets.Read(name)
		if len(data) == 0 {
			t.Errorf("%s is missing: `make ui` builds the page", name)
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(data) // never fails
		_ = w.Close()
		total += b.Len()
	}
	if total > maxSize {
		t.Errorf("the page has %d bytes, at most %d are allowed", total, maxSize)
	}
	t.Logf("the page has %d bytes with gzip", total)
}

// TestBundle builds the page again, and compares the bytes.
func TestBundle(t *testing.T) {
	ui, err := filepath.Abs("../../../../ui")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(ui, "node_modules", "esbuild")); err != nil || missing != nil {
		t.Skip("node or the packages of ui/ are not installed")
	}
	dir := t.TempDir()
	if out, err := exec.Command(node, filepath.Join(ui, "build.mjs"), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range assets.Names() {
		built, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(built, assets.Read(name)) {
			t.Errorf("%s differs from what ui/ builds (%v): `make ui` builds it again", name, err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != len(assets.Names()) {
		t.Errorf("ui/ builds %d files, expected %d: %v", len(files), len(assets.Names()), err)
	}
}
