package lint

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
)

var neverRuns = &Rule{
	Code: "never-runs", Level: Warning,
	Summary: "A step's `when` is always false.",
	Doc: "The step, and all that needs its outputs, is skipped in every run. A `when` that depends on a variable is not reported: another value may be " +
		"set. A `when` that requires two different values of one reference is reported.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			e := s.Block.Attr("when")
			if e == nil || s.When == nil {
				continue
			}
			if value, constant := truth(s.When.Const); constant && !value && !p.Evaluated.Values.Varies(e) {
				p.Report(p.New(e.Range(), "%s %q can never run: this condition is always false", s.Block.Def.Name, s.Name()))
			} else if what := contradiction(s.When.Node); what != "" {
				p.Report(p.New(e.Range(), "%s %q can never run: %s can't be both at once", s.Block.Def.Name, s.Name(), what))
			}
		}
	},
}

// contradiction returns the reference that an && chain compares with different constants.
func contradiction(e hclsyntax.Expression) string {
	asked := map[string]cty.Value{}
	for _, term := range terms(e, nil) {
		b, ok := bareExpr(term).(*hclsyntax.BinaryOpExpr)
		if !ok || expr.Comparing(b.Op) != expr.OpEqual {
			continue
		}
		ref, isRef := bareExpr(b.LHS).(*hclsyntax.ScopeTraversalExpr)
		value, isConst := constant(b.RHS)
		if !isRef {
			ref, isRef = bareExpr(b.RHS).(*hclsyntax.ScopeTraversalExpr)
			value, isConst = constant(b.LHS)
		}
		if !isRef || !isConst {
			continue
		}
		text := evaluate.Text(ref.Traversal)
		if first, twice := asked[text]; twice && !first.RawEquals(value) {
			return text
		}
		asked[text] = value
	}
	return ""
}

// terms returns the terms of an && chain.
func terms(e hclsyntax.Expression, out []hclsyntax.Expression) []hclsyntax.Expression {
	e = bareExpr(e)
	if b, ok := e.(*hclsyntax.BinaryOpExpr); ok && b.Op == hclsyntax.OpLogicalAnd {
		return terms(b.RHS, terms(b.LHS, out))
	}
	return append(out, e)
}

func constant(e hclsyntax.Expression) (cty.Value, bool) {
	switch e := bareExpr(e).(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			v, hclDiags := e.Value(nil)
			return v, !hclDiags.HasErrors()
		}
	}
	return cty.NilVal, false
}

// bareExpr returns e without the parentheses around it, or the ${…} that is all of a text.
func bareExpr(e hclsyntax.Expression) hclsyntax.Expression {
	for {
		switch around := e.(type) {
		case *hclsyntax.ParenthesesExpr:
			e = around.Expression
		case *hclsyntax.TemplateWrapExpr:
			e = around.Wrapped
		default:
			return e
		}
	}
}
