package evaluate

import (
	"maps"
	"slices"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
)

// Declare adds b to the declarations of its kind, or reports that its name is already declared.
func Declare(among map[string]*decode.Block, b *decode.Block, diags *diag.List) bool {
	if first, twice := among[b.Label]; twice {
		diags.Add(diag.New("duplicate", b.LabelRange, "%s %q is declared twice", b.Def.Name, b.Label).
			WithRelated(first.LabelRange, "the first declaration is here"))
		return false
	}
	among[b.Label] = b
	return true
}

// Names returns the sorted names of declarations, for suggestions.
func Names[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// Use finds an image, a code, a pipeline or a library by name and marks it as used.
func (w *Project) Use(among map[string]*decode.Block, name string) *decode.Block {
	b := among[name]
	if b != nil {
		w.used[b] = true
	}
	return b
}

// Unused reports declarations that nothing uses.
func (w *Project) Unused() {
	w.Values.unused()
	for kind, m := range map[string]map[string]*decode.Block{"image": w.Images, "code": w.Codes, "library": w.Libraries} {
		for _, name := range Names(m) {
			if !w.used[m[name]] {
				w.Diags.Add(diag.New("unused", m[name].LabelRange, "%s.%s is never used", kind, name))
			}
		}
	}
}
