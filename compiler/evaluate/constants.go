package evaluate

import (
	"strings"

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
	if infer.Type(node, constScope{c.scope}, c.diags) == cty.NilType {
		return cty.NilVal, false
	}
	return c.Value(node)
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

// Value evaluates an expression whose references have been resolved and all name variables and locals.
func (c *Constants) Value(node hclsyntax.Expression) (cty.Value, bool) {
	if v, plain := literal(node); plain {
		return v, true
	}
	ctx, ok := c.scope.context(node)
	if !ok {
		return cty.NilVal, false
	}
	v, hclDiags := node.Value(ctx)
	if hclDiags.HasErrors() {
		c.faults(node, ctx, hclDiags)
		return cty.NilVal, false
	}
	if !types.Finite(v) {
		c.diags.Add(diag.New("evaluation", node.Range(), "this value is infinite, for example after a division by zero, or has too many digits"))
		return cty.NilVal, false
	}
	return v, true
}

// faults reports HCL's errors about an expression that can't be evaluated.
func (c *Constants) faults(node hclsyntax.Expression, ctx *hcl.EvalContext, hclDiags hcl.Diagnostics) {
	for _, v := range ctx.Variables {
		if IsSensitive(v) { // the reason could quote the value
			c.diags.Add(diag.New("evaluation", node.Range(), "this can't be evaluated").
				WithDetail("The reason is not shown, because the expression reads a sensitive variable."))
			return
		}
	}
	for _, h := range hclDiags {
		c.diags.Add(fault(node, h))
	}
}

// fault shortens HCL's error about an expression that can't be evaluated.
func fault(node hclsyntax.Expression, h *hcl.Diagnostic) diag.Diagnostic {
	at, code := node.Range(), "evaluation"
	if h.Subject != nil {
		at = *h.Subject
	}
	text := h.Detail
	if text == "" {
		text = h.Summary
	}
	text = trimSentence(text)
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](h); ok {
		name := call.CalledFunctionName()
		if _, reason, found := strings.Cut(text, " failed: "); found {
			text = reason
		} else if _, reason, found := strings.Cut(text, " parameter: "); found {
			text = reason
		}
		text = name + ": " + text
		if IsFileFunction(name) {
			code = "file-access"
		}
		if e, ok := h.Expression.(*hclsyntax.FunctionCallExpr); ok {
			at = e.Range()
		}
	}
	return diag.New(code, at, "%s", text)
}
