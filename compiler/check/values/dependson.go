package values

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
)

// meantStep adds to d the step that an item of depends_on probably means: "step.a" or "a".
func (e *Evaluator) meantStep(d diag.Diagnostic, item hcl.Expression) diag.Diagnostic {
	v, hclDiags := item.Value(nil)
	if hclDiags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return d
	}
	name := strings.TrimPrefix(v.AsString(), "step.")
	if e.pipeline.Step(name) == nil {
		if name = diag.Suggest(name, e.pipeline.StepNames()); name == "" {
			return d
		}
		return d.WithSuggestion("did you mean step.%s, without quotes?", name)
	}
	return d.WithSuggestion("write step.%s, without quotes", name).WithFix(item.Range(), "step."+name)
}

// DependsOn checks the attribute `depends_on` of a step, a list of steps.
func (e *Evaluator) DependsOn(s *model.Step) []model.Dependency {
	x := s.Block.Attr("depends_on")
	if x == nil {
		return nil
	}
	items, hclDiags := hcl.ExprList(x)
	if hclDiags.HasErrors() {
		e.diags.Add(diag.New("type-mismatch", x.Range(), "`depends_on` must be a list of steps: depends_on = [step.NAME]"))
		return nil
	}
	var out []model.Dependency
	names := resolver{evaluator: e, step: s}
	for _, item := range items {
		t, hclDiags := hcl.AbsTraversalForExpr(item)
		if hclDiags.HasErrors() || t.RootName() != "step" || len(t) != 2 {
			d := diag.New("type-mismatch", item.Range(), "expected a step: step.NAME")
			if !hclDiags.HasErrors() && t.RootName() == "step" && len(t) > 2 {
				d = d.WithDetail("depends_on names whole steps. A reference to an output waits without depends_on.")
			}
			e.diags.Add(e.meantStep(d, item))
			continue
		}
		name, ok := names.name(t, "step")
		target := e.pipeline.Step(name)
		switch {
		case !ok:
		case target == nil:
			names.unknown(t, "step", "step.", name, e.pipeline.StepNames)
		case target.Finally && !s.Finally:
			e.diags.Add(diag.New("out-of-place", item.Range(), "step.%s is in finally, which runs after all steps have ended", name))
		default:
			out = append(out, model.Dependency{Step: name, At: item.Range()})
		}
	}
	return out
}
