package evaluate

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/schema/types"
)

// Constants evaluates expressions that must be known when compiling. Faults are reported.
type Constants struct {
	scope *Scope
	diags *diag.List
}

// Const returns the value of an expression that must be known when compiling. It reports an expression without such a
// value, and returns false.
func (c *Constants) Const(e hcl.Expression) (cty.Value, bool) {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		c.diags.Add(diag.New("syntax", e.Range(), "this expression is not in HCL's own syntax"))
		return cty.NilVal, false
	}
	if v, plain := literal(node); plain {
		return v, true
	}
	if c.typeOf(node) == cty.NilType {
		return cty.NilVal, false
	}
	return c.Value(node)
}

// typeOf resolves the references of an expression, and returns its type. It returns cty.NilType if something is wrong.
func (c *Constants) typeOf(node hclsyntax.Expression) (t cty.Type) {
	defer func() {
		if p := recover(); p != nil {
			c.diags.Add(diag.Internal(node.Range(), "checking this expression", p, c.scope.values.Sensitive()))
			t = cty.NilType
		}
	}()
	return infer.Type(node, constScope{c.scope}, c.diags)
}

// Value evaluates an expression whose references have been resolved and all name variables and locals. Every value that it
// returns is wholly known.
func (c *Constants) Value(node hclsyntax.Expression) (cty.Value, bool) {
	if v, plain := literal(node); plain {
		return v, true
	}
	ctx, ok := c.scope.context(node)
	if !ok {
		return cty.NilVal, false
	}
	return c.known(node, ctx)
}

// known is the only way out for values of expressions: a value is known, and can be written, or the reason is reported.
func (c *Constants) known(node hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	v, hclDiags, panicked := run(node, ctx)
	switch {
	case panicked != nil:
		c.diags.Add(*panicked)
	case hclDiags.HasErrors():
		c.faults(node, ctx, hclDiags)
	case !v.IsWhollyKnown():
		c.diags.Add(unknownValue(node, ctx))
	case !types.Finite(v):
		c.diags.Add(diag.New("evaluation", node.Range(), "this value is infinite, for example after a division by zero, or has too many digits"))
	default:
		return v, true
	}
	return cty.NilVal, false
}

// run evaluates an expression. A panic becomes a diagnostic.
func run(node hcl.Expression, ctx *hcl.EvalContext) (v cty.Value, hclDiags hcl.Diagnostics, panicked *diag.Diagnostic) {
	defer func() {
		if p := recover(); p != nil {
			d := diag.Internal(node.Range(), "evaluating this expression", p, readsSensitive(ctx))
			panicked = &d
		}
	}()
	v, hclDiags = node.Value(ctx)
	return v, hclDiags, nil
}

// literal returns the value of an expression that is one literal. This is the most common case, so it has a fast path.
func literal(node hclsyntax.Expression) (cty.Value, bool) {
	switch node := node.(type) {
	case *hclsyntax.LiteralValueExpr:
		return node.Val, true
	case *hclsyntax.TemplateExpr:
		if node.IsStringLiteral() {
			v, _ := node.Value(nil)
			return v, true
		}
	}
	return cty.NilVal, false
}

// With evaluates an expression whose references have been resolved and name variables, locals, and the given roots.
func (c *Constants) With(node hclsyntax.Expression, roots map[string]cty.Value) (cty.Value, bool) {
	ctx, ok := c.scope.context(node)
	if !ok {
		return cty.NilVal, false
	}
	maps.Copy(ctx.Variables, roots)
	return c.known(node, ctx)
}
