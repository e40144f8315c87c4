package values

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// stepOutput resolves step.x.y: an output, or a property of how the step ended.
func (r *resolver) stepOutput(t hcl.Traversal, soft bool) (cty.Type, int) {
	name, ok := r.name(t, "step")
	if !ok {
		return cty.NilType, 0
	}
	target := r.evaluator.pipeline.Step(name)
	if target == nil {
		return r.unknown(t, "step", "step.", name, r.evaluator.pipeline.StepNames)
	}
	if target.Finally && (r.step == nil || !r.step.Finally) {
		r.fault("out-of-place", t.SourceRange(), "step.%s is in finally, which runs after all steps have ended", name)
		return cty.NilType, 0
	}
	if len(t) < 3 {
		if target.ForEach != nil {
			return r.allInstances(t, target, soft)
		}
		r.wholeStep(t, target)
		return cty.NilType, 0
	}
	if typ, taken, handled := r.Instances(t, soft); handled {
		return typ, taken
	}
	attr := t[2].(hcl.TraverseAttr)
	if typ, ok := statusTypes[attr.Name]; ok {
		r.use(model.Use{Ref: "step." + name + "." + attr.Name, Step: name, Status: true}, t[:3], soft)
		return typ, 3
	}
	out := target.Output(attr.Name)
	switch {
	case out == nil:
		r.unknownOutput(t, target, attr)
		return cty.NilType, 0
	case target.ForEach != nil:
		r.noIndex(t, target, attr)
		return cty.NilType, 0
	}
	r.use(model.Use{Ref: "step." + name + "." + attr.Name, Step: name, Output: attr.Name}, t[:3], soft)
	return out.Type, 3
}

// wholeStep reports step.x without an output.
func (r *resolver) wholeStep(t hcl.Traversal, target *model.Step) {
	d := diag.New("out-of-place", t.SourceRange(), "a step is not a value: refer to one of its outputs")
	if names := target.OutputNames(); len(names) > 0 {
		d = d.WithSuggestion("write step.%s.%s", target.Name(), names[0])
		if len(names) > 1 {
			d = d.WithSuggestion("its outputs are %s", strings.Join(names, ", "))
		}
	} else {
		d = d.WithDetail("step.%s declares no outputs.", target.Name())
	}
	r.report(d)
}

// unknownOutput reports an output that the step does not have, unless its outputs are unknown.
func (r *resolver) unknownOutput(t hcl.Traversal, target *model.Step, attr hcl.TraverseAttr) {
	if target.Incomplete || target.Block.Tried("approval", "output") {
		return
	}
	if target.IsApproval() && attr.Name == program.ApprovalOutput {
		r.report(diag.New("unknown-reference", hcl.RangeBetween(t[0].SourceRange(), t[2].SourceRange()), "the approval %q has no value", target.Name()).
			WithRelated(target.Block.One("approval").DefRange, "the approval is here").
			WithSuggestion("to ask for a value, set its type in the approval, for example type = bool; otherwise, use depends_on to wait for the approval"))
		return
	}
	outputs := target.OutputNames()
	d := diag.New("unknown-reference", hcl.RangeBetween(t[0].SourceRange(), t[2].SourceRange()), "step %q has no output %q", target.Name(), attr.Name).
		WithRelated(target.Block.LabelRange, "the step is declared here")
	if hint := diag.NameMinus("step."+target.Name()+".", attr.Name, outputs); hint != "" {
		d = d.WithSuggestion("%s", hint)
	} else {
		d = d.DidYouMean(attr.Name, append(outputs, evaluate.Names(statusTypes)...))
	}
	if d.Suggestion == "" && len(outputs) == 0 {
		d = d.WithDetail("It declares no outputs.")
	} else if d.Suggestion == "" {
		d = d.WithDetail("Its outputs are %s.", strings.Join(outputs, ", "))
	}
	r.report(d)
}
