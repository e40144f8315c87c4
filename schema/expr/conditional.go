package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// choosing has each conditional in an expression return the chosen result as it is. HCL itself converts both results to one
// type, so that `true ? 1 : "x"` is the string "1". The compiler reports different types, but knows nothing of values of
// type any.
func choosing(e hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if c, ok := n.(*hclsyntax.ConditionalExpr); ok {
			original := *c
			// HCL converts no result if one of them is null.
			c.Condition = &hclsyntax.LiteralValueExpr{Val: cty.True, SrcRange: c.Condition.Range()}
			c.TrueResult = &choice{&original}
			c.FalseResult = &hclsyntax.LiteralValueExpr{Val: cty.NullVal(cty.DynamicPseudoType), SrcRange: c.FalseResult.Range()}
		}
		return nil
	})
}

// choice evaluates only the result of a conditional that is chosen.
type choice struct{ *hclsyntax.ConditionalExpr }

func (c *choice) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	cond, diags := c.Condition.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	cond, marks := cond.Unmark()
	if cond.IsNull() || !cond.IsKnown() {
		return c.ConditionalExpr.Value(ctx) // reports that it is null
	}
	chosen, err := convert.Convert(cond, cty.Bool)
	if err != nil {
		return c.ConditionalExpr.Value(ctx) // reports that it is not a bool
	}
	result := c.FalseResult
	if chosen.True() {
		result = c.TrueResult
	}
	v, more := result.Value(ctx)
	return v.WithMarks(marks), append(diags, more...)
}
