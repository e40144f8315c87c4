package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
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
		if want == cty.String && t.IsPrimitiveType() {
			if s, err := convert.Convert(v, cty.String); err == nil {
				return s
			}
		}
	case *hclsyntax.TupleConsExpr:
		if (want.IsListType() || want.IsSetType()) && want.ElementType() == cty.String && t.IsTupleType() && len(node.Exprs) > 0 {
			elems := v.AsValueSlice()
			for i := range elems {
				elems[i] = Texts(node.Exprs[i], elems[i], cty.String)
			}
			return cty.TupleVal(elems)
		}
	case *hclsyntax.ObjectConsExpr:
		if want.IsMapType() && want.ElementType() == cty.String && t.IsObjectType() && len(node.Items) > 0 {
			attrs := v.AsValueMap()
			for name := range attrs {
				if item := Item(node, name); item != nil {
					attrs[name] = Texts(item, attrs[name], cty.String)
				}
			}
			return cty.ObjectVal(attrs)
		}
	}
	return v
}
