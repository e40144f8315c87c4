package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// imported stores the values that a block of another project sets for the variables of a library.
func (s *Given) imported(b *decode.Block, values map[string]cty.Value) {
	s.importer = b
	vars := b.Attr("vars")
	for _, name := range Names(values) {
		if s.declared[name] == nil {
			at := KeyRange(vars, name)
			d := diag.New("unknown-variable-value", at, "there is a value for %q, but library %q has no variable of that name", name, b.Label)
			s.diags.Add(s.scope.Near(d, "var.", name, func() []string { return Names(s.declared) }))
			continue
		}
		part := Part(vars, name)
		s.values[name] = given{value: values[name], expr: part, at: part.Range(), origin: "library " + b.Label}
	}
}

// imports converts a value of the importer to the declared type.
func (s *Given) imports(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	v, marks := types.Apart(g.value)
	if len(marks) > 0 {
		n.Sensitive = true
	}
	v = Texts(g.expr, v, declared)
	out, err := types.Convert(n.defaults.Apply(v), declared)
	if err != nil {
		d := Mismatch(g.expr, v.Type(), declared, err, s.scope.Source)
		switch {
		case n.Sensitive && v.Type().IsPrimitiveType():
			d = Mismatch(hcl.StaticExpr(types.Computed(v), g.at), v.Type(), declared, err, nil)
		case n.Sensitive: // the message would show parts of the value and its keys
			d = diag.New("type-mismatch", g.at, "expected %s, but this sensitive value is not", types.Phrase(declared))
		}
		s.diags.Add(d.WithRelated(typeRange(n), "the variable of library %q is declared here", s.importer.Label))
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

// missing reports a variable for which the `library` block sets no value.
func (s *Given) missing(n *Name) diag.Diagnostic {
	return diag.New("missing-variable", s.importer.DefRange, "missing value for variable %[2]q of library %[1]q, which has no default", s.importer.Label, n.block.Label).
		WithRelated(n.Range, "the variable is declared here").
		WithSuggestion("write vars = { %s = … } in the block", n.block.Label)
}
