package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// Omit removes the optional attributes whose value is null, as if they were not written: `timeout = var.timeout` sets no timeout
// if var.timeout is null. The values of variables must have been given. Attributes that read each are not known here: Attributes
// omits those.
func (w *Project) Omit() {
	w.Values.All() // reports faults, which the next lines don't
	scope := *w.Scope
	scope.diags = &diag.List{}
	quiet := &Constants{scope: &scope, diags: scope.diags}
	for _, b := range w.Blocks {
		quiet.omit(b)
	}
}

func (c *Constants) omit(b *decode.Block) {
	for _, a := range b.Def.Attributes {
		if got := b.Attrs[a.Name]; got != nil && a.Omittable() && evaluated(a) && c.isNull(got.Expr) {
			delete(b.Attrs, a.Name)
		}
	}
	for _, n := range b.Blocks {
		c.omit(n)
	}
}

// evaluated reports whether an attribute is an expression, and not only a name or a type.
func evaluated(a *language.Attribute) bool {
	return a.Kind != language.Type && a.Kind != language.Refs && (a.Kind != language.Ref || a.Type != "")
}

// isNull reports whether an expression that reads only variables and locals is null. Most expressions can't be null, or have a
// reference to something else, and are not evaluated.
func (c *Constants) isNull(e hcl.Expression) bool {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		return false
	}
	switch inner := expr.Bare(node).(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.RelativeTraversalExpr, *hclsyntax.IndexExpr, *hclsyntax.ConditionalExpr, *hclsyntax.FunctionCallExpr:
	case *hclsyntax.TemplateWrapExpr:
		return c.isNull(inner.Wrapped)
	default:
		return false
	}
	for _, t := range node.Variables() {
		if root := t.RootName(); root != "var" && root != "local" {
			return false
		}
	}
	before := c.diags.Len()
	if c.typeOf(node) == cty.NilType || c.diags.Len() > before {
		return false
	}
	v, ok := c.Value(node)
	return ok && v.IsNull()
}
