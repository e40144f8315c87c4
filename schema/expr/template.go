package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// template is a template whose result carries the text of its parts byte for byte, and in which numbers are written as
// types.InTemplate writes them. HCL evaluates it, with the texts as its parts, so that the errors are HCL's.
type template struct{ *hclsyntax.TemplateExpr }

func (e *template) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	parts := make([]hclsyntax.Expression, len(e.Parts))
	var text strings.Builder
	for i, part := range e.Parts {
		p := fix(part, ctx)
		if s, ok := types.InTemplate(p.v); ok {
			text.WriteString(s)
			p.v = types.Replaced(p.v, s)
		}
		parts[i] = p
	}
	v, diags := (&hclsyntax.TemplateExpr{Parts: parts, SrcRange: e.SrcRange}).Value(ctx)
	if diags.HasErrors() || !v.IsKnown() {
		return v, diags
	}
	return types.Replaced(v, text.String()), diags
}

// joined is the elements of a loop in a template, as one text.
type joined struct{ hclsyntax.Expression }

func (e *joined) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := e.Expression.Value(ctx)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || !v.Type().IsTupleType() {
		return v, diags
	}
	bare, part := types.Spread(v)
	bare, marks := bare.Unmark()
	var text strings.Builder
	for it := bare.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		if part != nil {
			elem = part(elem)
		}
		s, ok := types.InTemplate(elem)
		if !ok {
			return v, diags // an error, or not known
		}
		text.WriteString(s)
	}
	return cty.TupleVal([]cty.Value{types.StringVal(text.String())}).WithMarks(marks), diags
}
