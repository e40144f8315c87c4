package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// WritesNumbers reports whether the value of an expression can depend on how its own numbers are written: it has a literal such as
// 1.0, or decodes JSON, or fills in a template.
func WritesNumbers(e hclsyntax.Expression, sources Sources) bool {
	found := false
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.LiteralValueExpr:
			_, unusual := sources.number(n)
			found = found || unusual
		case *hclsyntax.FunctionCallExpr:
			found = found || treatments[n.Name] == decodes
		}
		return nil
	})
	return found
}

// Written evaluates an expression like Eval: its value carries the texts of its numbers and of the values that it reads. The caller
// has evaluated it before without them. It returns false if it can't be evaluated in this way. The expression is not changed.
func Written(e hclsyntax.Expression, sources Sources, ctx *hcl.EvalContext) (cty.Value, bool) {
	if l, literal := e.(*hclsyntax.LiteralValueExpr); literal {
		return literalValue(l, sources), true
	}
	text, err := PrintFrom(e, sources)
	if err != nil {
		return cty.NilVal, false
	}
	node, err := Parse(text)
	if err != nil {
		return cty.NilVal, false
	}
	numberForms(node, Source([]byte(text)))
	choosing(node)
	v, diags := carrying(node).Value(ctx)
	if diags.HasErrors() || !v.IsWhollyKnown() || !types.Finite(v) {
		return cty.NilVal, false
	}
	return v, true
}
