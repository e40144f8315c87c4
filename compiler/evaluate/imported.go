package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Import makes w the project of a library: the values of its variables are those that block b of another project sets, by name,
// and no others.
func (w *Project) Import(root string, b *decode.Block, values map[string]cty.Value) {
	w.Root, w.importer = root, b
	vars := b.Attr("vars")
	for _, name := range Names(values) {
		if w.Variables[name] == nil {
			at := KeyRange(vars, name)
			d := diag.New("unknown-variable-value", at, "there is a value for %q, but library %q has no variable of that name", name, b.Label)
			w.Diags.Add(w.Near(d, "var.", name, func() []string { return Names(w.Variables) }))
			continue
		}
		part := Part(vars, name)
		w.given[name] = given{value: values[name], expr: part, at: part.Range(), origin: "library " + b.Label}
	}
}

// valueImported converts a value of the importer to the declared type.
func (w *Project) valueImported(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	v, marks := g.value.UnmarkDeep()
	if len(marks) > 0 {
		n.Sensitive = true
	}
	v = Texts(g.expr, v, declared)
	out, err := types.Convert(v, declared)
	if err != nil {
		d := Mismatch(g.expr, v.Type(), declared, err)
		switch {
		case n.Sensitive && v.Type().IsPrimitiveType():
			d = Mismatch(hcl.StaticExpr(v, g.at), v.Type(), declared, err)
		case n.Sensitive: // the message would show parts of the value and its keys
			d = diag.New("type-mismatch", g.at, "expected %s, but this sensitive value is not", types.Phrase(declared))
		}
		w.Diags.Add(d.WithRelated(typeRange(n), "the variable of library %q is declared here", w.importer.Label))
		return cty.NilVal, false
	}
	return out, true
}

func typeRange(n *Name) hcl.Range {
	if e := n.block.Attr("type"); e != nil {
		return e.Range()
	}
	return n.Range
}

// notImported reports a variable for which the `library` block sets no value.
func (w *Project) notImported(n *Name) diag.Diagnostic {
	return diag.New("missing-variable", w.importer.DefRange, "missing value for variable %[2]q of library %[1]q, which has no default", w.importer.Label, n.block.Label).
		WithRelated(n.Range, "the variable is declared here").
		WithSuggestion("write vars = { %s = … } in the block", n.block.Label)
}
