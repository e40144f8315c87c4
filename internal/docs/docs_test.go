package docs

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/language"
)

var update = flag.Bool("update", false, "write the pages of docs/")

func TestPagesAreCurrent(t *testing.T) {
	for name, write := range Pages {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("..", "..", "docs", name)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, b.Bytes()) {
				t.Errorf("%s is not what would be written: run `make generate`", path)
			}
		})
	}
}

// TestLanguageHoldsTheWholeTable: no block or attribute is left out of the reference.
func TestLanguageHoldsTheWholeTable(t *testing.T) {
	var b bytes.Buffer
	if err := Language(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	var walk func(block *language.Block)
	walk = func(block *language.Block) {
		for _, a := range block.Attributes {
			if !strings.Contains(text, "| `"+a.Name+"` |") || !strings.Contains(text, cell(a.Doc)) {
				t.Errorf("%s of %s is not there", a.Name, block.Name)
			}
		}
		for _, n := range block.Blocks {
			if !strings.Contains(text, n.Doc) {
				t.Errorf("block %s is not there", n.Name)
			}
			walk(n)
		}
	}
	walk(language.Root())
}
