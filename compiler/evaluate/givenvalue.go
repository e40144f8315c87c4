package evaluate

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// value converts a given value to the declared type. A string is taken as it is; other types are read as a literal.
func (s *Given) value(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	if g.value != cty.NilVal {
		return s.imports(g, declared, n)
	}
	node, src := g.expr, g.src
	if n.Sensitive {
		g.at = n.Range // a value that the user sets is shown where the variable is declared
	}
	if g.json {
		return s.fromJSON(g, declared, n)
	}
	if node == nil {
		if !n.Sensitive {
			s.sources[g.origin] = []byte(g.text)
		}
		if declared == cty.String {
			return cty.StringVal(g.text), true
		}
		parsed, err := expr.Parse(g.text)
		if err != nil && json.Valid([]byte(g.text)) {
			return s.json(g, declared, n)
		}
		switch {
		case declared == cty.DynamicPseudoType && (err != nil || len(parsed.Variables()) > 0):
			return cty.StringVal(g.text), true
		case err != nil || len(parsed.Variables()) > 0:
			s.diags.Add(notWritten(g.at, declared, n))
			return cty.NilVal, false
		}
		node, src = parsed, []byte(g.text)
	}
	if len(node.Variables()) > 0 {
		s.diags.Add(diag.New("not-constant", g.at, "the value of %s must be a literal: it can't contain references", n.Address))
		return cty.NilVal, false
	}
	if twice := repeatedKey(node); twice != nil {
		if n.Sensitive || g.expr == nil { // the range is in the text of a flag, and the message could quote a secret
			*twice = diag.New("duplicate", g.at, "a key in the value of %s is written twice", n.Address)
		}
		s.diags.Add(*twice)
		return cty.NilVal, false
	}
	v, hclDiags, panicked := run(node, nil)
	if panicked != nil || hclDiags.HasErrors() || !v.IsWhollyKnown() {
		s.diags.Add(diag.New("evaluation", g.at, "the value of %s must be a literal: it can't call functions or fail", n.Address))
		return cty.NilVal, false
	}
	if e, ok := node.(hclsyntax.Expression); ok {
		v = written(v, e, expr.Source(src), nil, nil)
	}
	out, err := types.Convert(n.defaults.Apply(v), declared)
	if err != nil {
		at := hcl.Expression(hcl.StaticExpr(types.Computed(v), g.at))
		if g.expr != nil && !n.Sensitive {
			at = g.expr
		}
		s.diags.Add(Mismatch(at, v.Type(), declared, err, expr.Source(src)))
		return cty.NilVal, false
	}
	return out, true
}

// fromJSON converts a value of a file in JSON. A string is text, also if it contains ${…}.
func (s *Given) fromJSON(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	v, err := types.Decode(g.expr.Range().SliceBytes(g.src))
	if err != nil {
		d := diag.New("invalid-value", g.at, "this value can't be read")
		if !n.Sensitive {
			d.Summary = err.Error()
		}
		s.diags.Add(d)
		return cty.NilVal, false
	}
	out, err := types.Convert(n.defaults.Apply(v), declared)
	if err != nil {
		at := g.expr
		if n.Sensitive {
			at = hcl.StaticExpr(cty.DynamicVal, g.at)
		}
		s.diags.Add(Mismatch(at, v.Type(), declared, err, nil))
		return cty.NilVal, false
	}
	return out, true
}

// json converts a value that is JSON and not a literal of the language: it has an escape such as "\ud83d\ude00".
func (s *Given) json(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	v, err := types.Implied([]byte(g.text))
	if err == nil {
		v, err = types.Convert(n.defaults.Apply(v), declared)
	}
	if err != nil {
		d := notWritten(g.at, declared, n)
		if !n.Sensitive {
			d = d.WithDetail("%s.", upperFirst(err.Error()))
		}
		s.diags.Add(d)
		return cty.NilVal, false
	}
	return v, true
}

// notWritten reports text that is not a literal of the declared type.
func notWritten(at hcl.Range, declared cty.Type, n *Name) diag.Diagnostic {
	d := diag.New("type-mismatch", at, "expected %s for %s, but this text can't be read as one", types.Phrase(declared), n.Address)
	switch {
	case declared == cty.Bool:
		return d.WithSuggestion("write true or false")
	case declared.IsListType() || declared.IsSetType() || declared.IsTupleType():
		return d.WithSuggestion(`write it as in a file: ["a", "b"]`)
	case declared.IsMapType() || declared.IsObjectType():
		return d.WithSuggestion(`write it as in a file: { a = 1, b = 2 }`)
	}
	return d
}
