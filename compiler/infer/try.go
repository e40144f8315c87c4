package infer

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
)

// attempts returns the type of a call of try or can. They catch what depends on values: an attribute or an element that is
// missing, text that can't be decoded, a value of another type. A name that is not declared, a function that doesn't exist and
// an artifact where text is expected are errors in them, too, because no value changes that.
func (w *walker) attempts(e *hclsyntax.FunctionCallExpr, f function.Function, known bool, text bool) cty.Type {
	args := make([]cty.Type, len(e.Args))
	good, possible, open := known, false, false
	var cause *diag.Diagnostic
	for i, arg := range e.Args {
		var fault *diag.Diagnostic
		args[i], fault = w.attempt(arg, text)
		good = good && (fault != nil || args[i] != cty.NilType)
		possible = possible || fault == nil
		open = open || fault != nil && !certain(arg, fault)
		cause = fault
	}
	switch {
	case !known || !w.count(e, f) || !good:
		return cty.NilType
	case e.Name == "can":
		return cty.Bool
	case !possible:
		return w.ofValue(*cause) // an outer call of try or can may catch it
	case open:
		return cty.DynamicPseudoType
	}
	return w.first(e, args)
}

// certain reports whether the evaluation of an argument fails in every run. A reference to something that is missing does. Other
// expressions may succeed: a run converts values that don't have the expected type, such as a number to text, and does not evaluate
// all arguments of coalesce.
func certain(arg hclsyntax.Expression, fault *diag.Diagnostic) bool {
	_, reference := expr.Bare(arg).(*hclsyntax.ScopeTraversalExpr)
	return reference && fault.Code != "type-mismatch"
}

// attempt returns the type of an argument of try and can, or the reason why its evaluation fails, which they catch.
func (w *walker) attempt(arg hclsyntax.Expression, text bool) (t cty.Type, cause *diag.Diagnostic) {
	told, outer := w.diags.Len(), w.cause
	w.cause = nil
	w.tried++
	t = w.node(arg, text)
	w.tried--
	if t == cty.NilType && w.diags.Len() == told {
		cause = w.cause
	}
	w.cause = outer
	return t, cause
}

// passesText reports whether a function returns its argument i, or parts of it, so that the argument must be text if the
// result must be.
func passesText(function string, i int) bool {
	switch function {
	case "coalesce", "coalescelist", "compact", "concat", "distinct", "flatten", "merge", "reverse", "setunion", "sort", "tolist", "toset", "tomap", "values":
		return true
	case "chunklist", "element", "slice", "one":
		return i == 0
	case "lookup":
		return i != 1
	}
	return false
}
