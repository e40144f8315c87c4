package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
)

var uselessRetry = &Rule{
	Code: "useless-retry", Level: Warning,
	Summary: "A `retry` block never leads to another attempt.",
	Doc: "`attempts` counts all of them, and is 1 by default: other settings have no effect then. Nor is there a second attempt if " +
		"`on_exit_codes` contains no code of a failure, if `when` is always false after the first attempt, or if `within` ends before the first wait. " +
		"`infrastructure` has its own retry budget, and works without `attempts`.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if b := s.Block.One("retry"); b != nil {
				retry(p, s, b)
			}
		}
	},
}

func retry(p *Pass, s *model.Step, b *decode.Block) {
	r := s.Retry
	if r.Attempts == 1 {
		var idle []string
		for _, name := range []string{"delay", "factor", "max_delay", "within", "on_exit_codes", "when", "oom_memory_factor"} {
			if b.Attr(name) != nil {
				idle = append(idle, "`"+name+"`")
			}
		}
		if len(idle) > 0 {
			p.Report(p.New(b.DefRange, "there is only one attempt: %s can't have an effect", strings.Join(idle, ", ")).
				WithSuggestion("write attempts = 3, or remove the block"))
		}
		return
	}
	if e := b.Attr("on_exit_codes"); e != nil {
		failures := 0
		for _, code := range r.OnExitCodes {
			if code != 0 {
				failures++
			}
		}
		switch {
		case failures == 0 && len(r.OnExitCodes) > 0:
			p.Report(p.New(e.Range(), "no failure has exit code 0: the step is never retried"))
		case failures < len(r.OnExitCodes):
			p.Report(p.New(e.Range(), "no failure has exit code 0"))
		}
	}
	if e := b.Attr("when"); e != nil && s.Retry.When != nil {
		if value, constant := truth(s.Retry.When.Const); constant && !value && !p.Evaluated.Values.Varies(e) {
			p.Report(p.New(e.Range(), "this is always false: the step is never retried"))
		} else if what := contradiction(s.Retry.When.Node); what != "" {
			p.Report(p.New(e.Range(), "the step is never retried: %s can't be both at once", what))
		} else if why := neverTrue(s.Retry.When.Node, r.OnExitCodes); why != "" {
			p.Report(p.New(e.Range(), "the step is never retried: %s", why))
		}
	}
	if r.Within != 0 && r.Within <= r.Delay {
		p.Report(p.New(b.Attr("within").Range(), "no attempt starts later than %s after the first, but the second waits for %s", span(r.Within.D()), span(r.Delay.D())))
	}
}

// neverTrue returns why a term of `when` can't be true when it is first evaluated: after attempt 1, which failed, with one
// of the exit codes if those are set.
func neverTrue(e hclsyntax.Expression, codes []int) string {
	for _, term := range terms(e, nil) {
		b, ok := bareExpr(term).(*hclsyntax.BinaryOpExpr)
		if !ok {
			continue
		}
		left, right := bareExpr(b.LHS), bareExpr(b.RHS)
		ref, isRef := left.(*hclsyntax.ScopeTraversalExpr)
		value, isConst := constant(right)
		if !isRef {
			ref, isRef = right.(*hclsyntax.ScopeTraversalExpr)
			value, isConst = constant(left)
		}
		if !isRef || !isConst || value.IsNull() || value.Type() != cty.Number || len(ref.Traversal) != 1 {
			continue
		}
		switch root := ref.Traversal.RootName(); {
		case root == "attempt":
			ctx := &hcl.EvalContext{Variables: map[string]cty.Value{root: cty.NumberIntVal(1)}}
			if v, hclDiags := b.Value(ctx); !hclDiags.HasErrors() && v.Type() == cty.Bool && v.False() {
				return "this is evaluated first after attempt 1, and is false then"
			}
		case root == "exit_code" && expr.Comparing(b.Op) == expr.OpEqual:
			code, _ := value.AsBigFloat().Int64()
			switch {
			case code == 0:
				return "no failure has exit code 0"
			case len(codes) > 0 && !slices.Contains(codes, int(code)):
				return fmt.Sprintf("`on_exit_codes` has no %d", code)
			}
		}
	}
	return ""
}
