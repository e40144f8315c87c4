package evaluate

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
)

// faults reports HCL's errors about an expression that can't be evaluated.
func (c *Constants) faults(node hclsyntax.Expression, ctx *hcl.EvalContext, hclDiags hcl.Diagnostics) {
	if readsSensitive(ctx) { // the reason could quote the value
		c.diags.Add(diag.New("evaluation", node.Range(), "this can't be evaluated").
			WithDetail("The reason is not shown, because the expression reads a sensitive variable."))
		return
	}
	for _, h := range hclDiags {
		c.diags.Add(fault(node, ctx, h))
	}
}

func readsSensitive(ctx *hcl.EvalContext) bool {
	if ctx != nil {
		for _, v := range ctx.Variables {
			if IsSensitive(v) {
				return true
			}
		}
	}
	return false
}

// fault shortens HCL's error about an expression that can't be evaluated.
func fault(node hclsyntax.Expression, ctx *hcl.EvalContext, h *hcl.Diagnostic) diag.Diagnostic {
	at, code := node.Range(), "evaluation"
	if h.Subject != nil {
		at = *h.Subject
	}
	text := h.Detail
	if text == "" {
		text = h.Summary
	}
	text = expr.Reason(trimSentence(text), node, ctx)
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](h); ok {
		name := call.CalledFunctionName()
		if e, ok := h.Expression.(*hclsyntax.FunctionCallExpr); ok {
			at = e.Range()
		}
		if p := (function.PanicError{}); errors.As(call.FunctionCallError(), &p) {
			return diag.Internal(at, "calling "+name, p.Value, false)
		}
		if _, reason, found := strings.Cut(text, " failed: "); found {
			text = reason
		} else if _, reason, found := strings.Cut(text, " parameter: "); found {
			text = reason
		}
		text = name + ": " + text
		if isFileFunction(name) {
			code = "file-access"
		}
	}
	return diag.New(code, at, "%s", text)
}

// unknownValue reports an expression of known values whose own value is unknown. The functions of go-cty return unknown
// values for some arguments, such as a null without a type.
func unknownValue(node hclsyntax.Expression, ctx *hcl.EvalContext) diag.Diagnostic {
	d := diag.New("evaluation", node.Range(), "the value of this expression is not known")
	var call *hclsyntax.FunctionCallExpr
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		f, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return nil
		}
		if call == nil {
			call = f
		}
		if v, hclDiags, panicked := run(f, ctx); panicked == nil && !hclDiags.HasErrors() && !v.IsWhollyKnown() {
			call = f // inner calls are visited later
		}
		return nil
	})
	if call == nil {
		return d.WithDetail("A part of it is probably null.")
	}
	d.Range = call.Range()
	for _, arg := range call.Args {
		v, hclDiags, panicked := run(arg, ctx)
		if panicked == nil && !hclDiags.HasErrors() && v.IsNull() {
			d.Summary = "the value is not known: an argument of " + call.Name + " is null"
			d.Range = arg.Range()
			return d.WithSuggestion("use coalesce(…) to replace null by a value")
		}
	}
	d.Summary = "the value of " + call.Name + " is not known for these arguments"
	return d.WithDetail("An argument, or a part of one, is probably null.")
}
