package lsp

import (
	"path/filepath"
	"strings"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lsp/names"
)

// inLibrary is where the pipeline of a library is declared that a reference names at an offset; nil where it names none.
func (v *view) inLibrary(offset int) *location {
	r, part := v.RefAt(offset)
	if r == nil || part != 2 || len(r.Parts) < 3 || r.Parts[0].Name != string(names.Library) || v.dir == "" {
		return nil
	}
	lib := v.index.Lookup(names.Library, r.Parts[1].Name, r.Block)
	if lib == nil || lib.Block.Attr("source") == nil {
		return nil
	}
	source := strings.Trim(lib.File.Text(lib.Block.Attr("source").Value), " \t\r\"'")
	if source == "" || filepath.IsAbs(source) {
		return nil
	}
	if found, err := evaluate.Lookup(v.dir, filepath.ToSlash(source)); err == nil {
		source = found
	}
	dir := filepath.Join(v.dir, filepath.FromSlash(source))
	p := v.server.project(&document{path: filepath.Join(dir, "any")}, v.docs)
	if sym := p.index.Lookup(names.Pipeline, r.Parts[2].Name, nil); sym != nil {
		at := p.location(sym.File, sym.At)
		return &at
	}
	return nil
}
