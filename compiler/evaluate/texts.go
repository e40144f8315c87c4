package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// IsTemplate reports whether e is a string that is one interpolation, "${x}". Such a template keeps the type of x. If text
// is expected it is text, like any other template.
func IsTemplate(e hcl.Expression) bool {
	_, ok := unwrap(e).(*hclsyntax.TemplateWrapExpr)
	return ok
}

// Texts converts templates of one interpolation to text if text is expected.
func Texts(e hcl.Expression, v cty.Value, want cty.Type) cty.Value {
	if v.IsNull() || !v.IsKnown() {
		return v
	}
	t := v.Type()
	switch node := unwrap(e).(type) {
	case *hclsyntax.TemplateWrapExpr:
		if want == cty.String && (t == cty.Number || t == cty.Bool) {
			if s, ok := types.InTemplate(v); ok {
				return types.Replaced(v, s)
			}
		}
	case *hclsyntax.TupleConsExpr:
		if (want.IsListType() || want.IsSetType()) && want.ElementType() == cty.String && t.IsTupleType() && len(node.Exprs) > 0 {
			v, part := types.Unmark(v)
			elems := v.AsValueSlice()
			for i := range elems {
				elems[i] = Texts(node.Exprs[i], part(elems[i]), cty.String)
			}
			return cty.TupleVal(elems)
		}
	case *hclsyntax.ObjectConsExpr:
		if want.IsMapType() && want.ElementType() == cty.String && t.IsObjectType() && len(node.Items) > 0 {
			bare, part := types.Unmark(v)
			attrs := bare.AsValueMap()
			for name := range attrs {
				if item := Item(node, name); item != nil {
					attrs[name] = Texts(item, part(attrs[name]), cty.String)
				}
			}
			return cty.ObjectVal(attrs).WithSameMarks(v) // of its keys
		}
	}
	return v
}
