package check

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// scope is what names mean in an expression of a pipeline. It collects the references it resolves.
type scope struct {
	c    *checker
	p    *Pipeline
	step *Step // nil: in an output of the pipeline
	kind language.Kind
	// round says that outputs are what a round has left, and not where they are to be written.
	round bool
	// whole says that it is for_each itself, which makes each.
	whole bool
	uses  []Use
}

// statusTypes are what is known of a step beside its outputs, once it has ended.
var statusTypes = map[string]cty.Type{"status": cty.String, "exit_code": cty.Number, "reason": cty.String, "message": cty.String}

// retryTypes are what retry.when sees of the attempt that has ended.
var retryTypes = map[string]cty.Type{"attempt": cty.Number, "exit_code": cty.Number, "reason": cty.String}

func (s *scope) Resolve(t hcl.Traversal, soft bool) (cty.Type, int) {
	if typ, taken, mine := s.c.world.Resolve(t); mine {
		if typ != cty.NilType {
			s.use(Use{Ref: evaluate.Text(t[:2]), Const: true}, t[:2], soft)
		}
		return typ, taken
	}
	root := t.RootName()
	switch {
	case root == "input" && (s.kind == language.Own || s.kind == language.Retry) && s.step != nil:
		return s.input(t)
	case s.kind == language.Retry:
		if typ, ok := retryTypes[root]; ok {
			s.use(Use{Ref: root}, t[:1], soft)
			return typ, 1
		}
		return s.misplaced(t, "input.NAME", "attempt", "exit_code", "reason")
	case root == "output" && s.kind == language.Own && s.step != nil:
		return s.output(t)
	case root == "param":
		return s.param(t, soft)
	case root == "step":
		return s.stepOutput(t, soft)
	case root == "run":
		return s.run(t, soft)
	case root == program.LastRoot && isLast(t):
		return s.last(t, soft)
	case root == "each":
		return s.each(t, soft)
	}
	if s.kind == language.Own {
		return s.misplaced(t, "param.NAME", "step.NAME", "run.NAME", "input.NAME", "output.NAME")
	}
	return s.misplaced(t, "param.NAME", "step.NAME", "run.NAME")
}

func (s *scope) use(u Use, t hcl.Traversal, soft bool) {
	u.Soft, u.At = soft && u.CanLack(), t.SourceRange()
	s.uses = append(s.uses, u)
}

func (s *scope) fault(code string, at hcl.Range, format string, args ...any) {
	s.c.diags.Add(diag.New(code, at, format, args...))
}

func (s *scope) misplaced(t hcl.Traversal, more ...string) (cty.Type, int) {
	s.c.diags.Add(s.c.world.Misplaced(t, more))
	return cty.NilType, 0
}

// CanLack says whether what is referred to may be missing: what a step or an earlier run leaves behind.
func (u *Use) CanLack() bool { return u.Step != "" && !u.Status || u.Last != nil }

// name is the second part of a reference, x of param.x.
func (s *scope) name(t hcl.Traversal, what string) (string, bool) {
	if len(t) >= 2 {
		if a, ok := t[1].(hcl.TraverseAttr); ok {
			return a.Name, true
		}
	}
	s.fault("unknown-reference", t.SourceRange(), "%s needs a name: %s.NAME", t.RootName(), what)
	return "", false
}

func (s *scope) unknown(t hcl.Traversal, what, prefix, name string, among func() []string) (cty.Type, int) {
	at := hcl.RangeBetween(t[0].SourceRange(), t[min(len(t), 2)-1].SourceRange())
	s.c.diags.Add(s.c.world.Near(diag.New("unknown-reference", at, "no %s is named %q", what, name), prefix, name, among))
	return cty.NilType, 0
}

// among lists declarations by name, when it is asked for.
func among[T any](m map[string]T) func() []string {
	return func() []string { return evaluate.Names(m) }
}

func (s *scope) param(t hcl.Traversal, soft bool) (cty.Type, int) {
	name, ok := s.name(t, "param")
	if !ok {
		return cty.NilType, 0
	}
	p, ok := s.p.Params[name]
	if !ok {
		return s.unknown(t, "param", "param.", name, among(s.p.Params))
	}
	p.used = true
	s.use(Use{Ref: "param." + name}, t[:2], soft)
	return p.Type, 2
}

func (s *scope) run(t hcl.Traversal, soft bool) (cty.Type, int) {
	name, ok := s.name(t, "run")
	if !ok {
		return cty.NilType, 0
	}
	names := []string{"name", "scheduled_at", "status"}
	switch name {
	case "status":
		if s.step == nil || !s.step.Finally {
			s.fault("out-of-place", t.SourceRange(), "run.status is known only in finally, when all else has ended")
			return cty.NilType, 0
		}
		fallthrough
	case "name", "scheduled_at":
		s.use(Use{Ref: "run." + name}, t[:2], soft)
		return cty.String, 2
	}
	return s.unknown(t, "property of a run", "run.", name, func() []string { return names })
}

func (s *scope) input(t hcl.Traversal) (cty.Type, int) {
	name, ok := s.name(t, "input")
	if !ok {
		return cty.NilType, 0
	}
	in, ok := s.step.inputs[name]
	if !ok && s.step.faulty {
		return cty.NilType, 0
	}
	if !ok {
		return s.unknown(t, "input of this step", "input.", name, among(s.step.inputs))
	}
	if in.Type == cty.NilType {
		return cty.NilType, 0
	}
	s.use(Use{Ref: "input." + name}, t[:2], false)
	if types.HasArtifact(in.Type) {
		if s.round {
			s.fault("out-of-place", t.SourceRange(), "input.%s is an artifact, which is not carried: carry what the round has left, output.NAME", name)
			return cty.NilType, 0
		}
		return infer.HandleType, 2
	}
	return in.Type, 2
}

func (s *scope) output(t hcl.Traversal) (cty.Type, int) {
	name, ok := s.name(t, "output")
	if !ok {
		return cty.NilType, 0
	}
	out, ok := s.step.outputs[name]
	if !ok {
		if s.step.faulty {
			return cty.NilType, 0
		}
		return s.unknown(t, "output of this step", "output.", name, among(s.step.outputs))
	}
	s.use(Use{Ref: "output." + name}, t[:2], false)
	if s.round {
		return out.Type, 2
	}
	if out.Block.Attr("glob") != nil {
		s.c.diags.Add(diag.New("out-of-place", t.SourceRange(), "output.%s has no path of its own: it is what its glob matches", name).
			WithRelated(out.Block.Attr("glob").Range(), "the files are taken from here").
			WithSuggestion("write the pattern's directory itself, or leave the glob out"))
		return cty.NilType, 0
	}
	return infer.HandleType, 2
}

func (s *scope) stepOutput(t hcl.Traversal, soft bool) (cty.Type, int) {
	name, ok := s.name(t, "step")
	if !ok {
		return cty.NilType, 0
	}
	target, ok := s.p.byName[name]
	if !ok {
		return s.unknown(t, "step", "step.", name, among(s.p.byName))
	}
	if target.Finally && (s.step == nil || !s.step.Finally) {
		s.fault("out-of-place", t.SourceRange(), "step.%s is in finally, which runs after all steps have ended", name)
		return cty.NilType, 0
	}
	if len(t) < 3 {
		if target.ForEach != nil {
			return s.allInstances(t, target, soft)
		}
		s.wholeStep(t, target)
		return cty.NilType, 0
	}
	if typ, taken, handled := s.Instances(t, soft); handled {
		return typ, taken
	}
	attr := t[2].(hcl.TraverseAttr)
	if typ, ok := statusTypes[attr.Name]; ok {
		s.use(Use{Ref: "step." + name + "." + attr.Name, Step: name, Status: true}, t[:3], soft)
		return typ, 3
	}
	out, ok := target.outputs[attr.Name]
	switch {
	case !ok:
		s.unknownOutput(t, target, attr)
		return cty.NilType, 0
	case target.ForEach != nil:
		s.oneOfMany(t, target, attr)
		return cty.NilType, 0
	}
	s.use(Use{Ref: "step." + name + "." + attr.Name, Step: name, Output: attr.Name}, t[:3], soft)
	return out.Type, 3
}

func (s *scope) wholeStep(t hcl.Traversal, target *Step) {
	d := diag.New("out-of-place", t.SourceRange(), "a step is not a value: name one of its outputs")
	if names := evaluate.Names(target.outputs); len(names) > 0 {
		d = d.WithSuggestion("write step.%s.%s", target.Name(), names[0])
		if len(names) > 1 {
			d = d.WithSuggestion("its outputs are %s", strings.Join(names, ", "))
		}
	} else {
		d = d.WithDetail("step.%s declares none.", target.Name())
	}
	s.c.diags.Add(d)
}

func (s *scope) unknownOutput(t hcl.Traversal, target *Step, attr hcl.TraverseAttr) {
	if target.faulty || target.Block.Tried("approval", "output") {
		return // what its outputs are is not known
	}
	if target.asks() && attr.Name == program.ApprovalOutput {
		s.c.diags.Add(diag.New("unknown-reference", hcl.RangeBetween(t[0].SourceRange(), t[2].SourceRange()), "the approval %q asks for no value", target.Name()).
			WithRelated(target.Block.One("approval").DefRange, "the approval is here").
			WithSuggestion("write the type of the value in it, such as type = bool; without, whoever needs the step runs when it is approved"))
		return
	}
	outputs := evaluate.Names(target.outputs)
	d := diag.New("unknown-reference", hcl.RangeBetween(t[0].SourceRange(), t[2].SourceRange()), "step %q has no output %q", target.Name(), attr.Name).
		WithRelated(target.Block.LabelRange, "the step is declared here")
	if hint := diag.NameMinus("step."+target.Name()+".", attr.Name, outputs); hint != "" {
		d = d.WithSuggestion("%s", hint)
	} else {
		d = d.DidYouMean(attr.Name, append(outputs, evaluate.Names(statusTypes)...))
	}
	if d.Suggestion == "" && len(outputs) == 0 {
		d = d.WithDetail("It declares none.")
	} else if d.Suggestion == "" {
		d = d.WithDetail("Its outputs are %s.", strings.Join(outputs, ", "))
	}
	s.c.diags.Add(d)
}

// Choices are the statuses, where t is one.
func (s *scope) Choices(t hcl.Traversal) []string {
	switch text := evaluate.Text(t); {
	case text == "run.status":
		return []string{"cancelled", "failed", "succeeded", "timed_out"}
	case t.RootName() == "step" && len(t) == 3 && strings.HasSuffix(text, ".status"):
		return record.Statuses
	}
	return nil
}

func (s *scope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	return s.c.world.Function(call)
}
