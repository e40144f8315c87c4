package values

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// resolver is the infer.Scope of one expression: it resolves the names that the expression can use at its position, and
// collects its references.
type resolver struct {
	evaluator *Evaluator
	step      *model.Step // nil: the expression belongs to the pipeline itself
	kind      language.Kind
	round     bool        // output.x is what a round of `repeat` has produced, not where it is to be written
	forEach   bool        // the expression is a for_each, which cannot read each
	text      bool        // the expression must be a string, or consist of strings
	uses      []model.Use // the references that were resolved
}

// statusTypes are the properties that a step has once it has ended, in addition to its outputs.
var statusTypes = map[string]cty.Type{"status": cty.String, "exit_code": cty.Number, "reason": cty.String, "message": cty.String}

// retryTypes are the properties of the attempt that has ended, for retry.when.
var retryTypes = map[string]cty.Type{"attempt": cty.Number, "exit_code": cty.Number, "reason": cty.String}

// IsStatus reports whether step.x.NAME is about how the step ended, so that no output can have the name.
func IsStatus(name string) bool {
	_, is := statusTypes[name]
	return is
}

// Resolve implements infer.Scope.
func (r *resolver) Resolve(t hcl.Traversal, soft bool) (cty.Type, int) {
	if typ, taken, mine := r.evaluator.project.Scope.Resolve(t); mine {
		if typ != cty.NilType {
			r.use(model.Use{Ref: evaluate.Text(t[:2]), Const: true}, t[:2], soft)
		}
		return typ, taken
	}
	root := t.RootName()
	switch {
	case root == "input" && (r.kind == language.Own || r.kind == language.Retry) && r.step != nil:
		return r.input(t)
	case r.kind == language.Retry:
		if typ, ok := retryTypes[root]; ok {
			r.use(model.Use{Ref: root}, t[:1], soft)
			return typ, 1
		}
		return r.misplaced(t, "input.NAME", "attempt", "exit_code", "reason")
	case root == "output" && r.kind == language.Own && r.step != nil:
		return r.output(t)
	case root == "param":
		return r.param(t, soft)
	case root == "step":
		return r.stepOutput(t, soft)
	case root == "run":
		return r.run(t, soft)
	case root == program.LastSuccessRoot && isLast(t):
		return r.last(t, soft)
	case root == "each":
		return r.each(t, soft)
	}
	if r.kind == language.Own {
		return r.misplaced(t, "param.NAME", "step.NAME", "run.NAME", "input.NAME", "output.NAME")
	}
	return r.misplaced(t, "param.NAME", "step.NAME", "run.NAME")
}

// use records a reference.
func (r *resolver) use(u model.Use, t hcl.Traversal, soft bool) {
	u.Soft, u.At = soft && u.CanLack(), t.SourceRange()
	r.uses = append(r.uses, u)
}

func (r *resolver) report(d diag.Diagnostic) { r.evaluator.diags.Add(d) }

func (r *resolver) fault(code string, at hcl.Range, format string, args ...any) {
	r.report(diag.New(code, at, format, args...))
}

// misplaced reports a root that means nothing here; usable are the roots that can be used, in addition to var and local.
func (r *resolver) misplaced(t hcl.Traversal, usable ...string) (cty.Type, int) {
	r.report(r.evaluator.project.Scope.Misplaced(t, usable))
	return cty.NilType, 0
}

// name returns the second part of a reference: x of param.x.
func (r *resolver) name(t hcl.Traversal, what string) (string, bool) {
	if len(t) >= 2 {
		if a, ok := t[1].(hcl.TraverseAttr); ok {
			return a.Name, true
		}
	}
	r.fault("unknown-reference", t.SourceRange(), "%s needs a name: %s.NAME", t.RootName(), what)
	return "", false
}

// unknown reports a name that is not declared. known lists the declared names, and is called only if they are needed.
func (r *resolver) unknown(t hcl.Traversal, what, prefix, name string, known func() []string) (cty.Type, int) {
	at := hcl.RangeBetween(t[0].SourceRange(), t[min(len(t), 2)-1].SourceRange())
	r.report(r.evaluator.project.Scope.Near(diag.New("unknown-reference", at, "no %s is named %q", what, name), prefix, name, known))
	return cty.NilType, 0
}

func (r *resolver) param(t hcl.Traversal, soft bool) (cty.Type, int) {
	name, ok := r.name(t, "param")
	if !ok {
		return cty.NilType, 0
	}
	p, ok := r.evaluator.pipeline.Params[name]
	if !ok {
		return r.unknown(t, "param", "param.", name, func() []string { return evaluate.Names(r.evaluator.pipeline.Params) })
	}
	p.Used = true
	r.use(model.Use{Ref: "param." + name}, t[:2], soft)
	return p.Type, 2
}

func (r *resolver) run(t hcl.Traversal, soft bool) (cty.Type, int) {
	name, ok := r.name(t, "run")
	if !ok {
		return cty.NilType, 0
	}
	switch name {
	case "status":
		if r.step == nil || !r.step.Finally {
			r.fault("out-of-place", t.SourceRange(), "run.status can only be used in finally, after all other steps have ended")
			return cty.NilType, 0
		}
		fallthrough
	case "name", "scheduled_at":
		r.use(model.Use{Ref: "run." + name}, t[:2], soft)
		return cty.String, 2
	}
	return r.unknown(t, "property of a run", "run.", name, func() []string { return []string{"name", "scheduled_at", "status"} })
}

// Choices implements infer.Scope: a status is one of a few strings.
func (r *resolver) Choices(t hcl.Traversal) []string {
	switch text := evaluate.Text(t); {
	case text == "run.status":
		return []string{"cancelled", "failed", "succeeded", "timed_out"}
	case t.RootName() == "step" && len(t) == 3 && strings.HasSuffix(text, ".status"):
		return record.Statuses
	}
	return nil
}

// Function implements infer.Scope.
func (r *resolver) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	return r.evaluator.project.Scope.Function(call)
}
