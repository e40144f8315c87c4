package tests

import (
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// mock is the declared result of a step, or of a part of one.
type mock struct {
	step     *stepTypes
	cached   bool
	rest     outcome   // of the attempts after those
	attempts []outcome // of the first attempts
}

// outcome is the declared result of an attempt, and how long the attempt takes.
type outcome struct {
	result  record.Result
	took    time.Duration
	outputs map[string]hclsyntax.Expression
}

// mock reads a mock.
func (r *reader) mock(t *Test, b *decode.Block) {
	s := r.address(t, b)
	if s == nil {
		return
	}
	if s.def.Approval != nil {
		r.project.Diags.Add(diag.New("out-of-place", b.LabelRange, "step %q is an approval, which has no process", b.Label).
			WithSuggestion("write answer %q { … }", b.Label))
		return
	}
	if s.def.Call != nil {
		r.project.Diags.Add(diag.New("out-of-place", b.LabelRange, "step %q runs the pipeline %q, and its outputs are those of that pipeline", b.Label, s.def.Call.Pipeline).
			WithDetail("%s", evaluate.Listed("Its steps", evaluate.Names(s.inner))).WithSuggestion("mock a step of it: mock \"%s.NAME\" { … }", b.Label))
		return
	}
	m := &mock{step: s, rest: r.outcome(t, s, b)}
	if m.cached, _ = r.project.Attributes.Bool(b, "cached"); m.cached && s.def.Cache == nil {
		r.project.Diags.Add(diag.New("invalid-value", b.Attr("cached").Range(), "step %q is never taken from the cache", b.Label).
			WithDetail("A step is cached if it has `cache` and at least one output."))
	}
	for _, a := range b.All("attempt") {
		m.attempts = append(m.attempts, r.outcome(t, s, a))
	}
	t.mocks[b.Label] = m
}

// address finds the step that the label of a block names. It reports a label that names none, or a second block.
func (r *reader) address(t *Test, b *decode.Block) *stepTypes {
	addr, err := record.ParseAddress(b.Label)
	if err != nil {
		r.project.Diags.Add(diag.New("invalid-name", b.LabelRange, "%v", err))
		return nil
	}
	if t.mocks[b.Label] != nil || t.answers[b.Label] != nil {
		r.project.Diags.Add(diag.New("duplicate", b.LabelRange, "there are two blocks for %q", b.Label))
		return nil
	}
	steps, prefix := t.pipeline.steps, ""
	var s *stepTypes
	for i, name := range addr.Steps() {
		if i > 0 {
			if s.def.Call == nil {
				r.project.Diags.Add(diag.New("unknown-reference", b.LabelRange, "step %q runs no pipeline, so it has no step %q", strings.TrimSuffix(prefix, "."), name))
				return nil
			}
			steps = s.inner
		}
		if s = steps[name]; s == nil {
			known := evaluate.Names(steps)
			r.project.Diags.Add(diag.New("unknown-reference", b.LabelRange, "no step is named %q", prefix+name).
				WithDetail("%s", evaluate.Listed("Declared", known)).DidYouMean(name, known))
			return nil
		}
		prefix += name + "."
	}
	return s
}

// outcome reads what a mock or an attempt of it says.
func (r *reader) outcome(t *Test, s *stepTypes, b *decode.Block) outcome {
	a := r.project.Attributes
	out := outcome{took: time.Second, outputs: map[string]hclsyntax.Expression{}}
	out.result.Status = record.Succeeded
	if d, ok := a.Duration(b, "duration"); ok {
		out.took = d
	}
	if text, ok := a.String(b, "status"); ok {
		out.result.Status = record.Status(text)
	}
	code, coded := a.Int(b, "exit_code", 0)
	if coded && code != 0 && b.Attr("status") == nil {
		out.result.Status = record.Failed
	}
	if coded && (code == 0) != (out.result.Status == record.Succeeded) && out.result.Status != record.TimedOut {
		r.project.Diags.Add(diag.New("invalid-value", b.Attr("exit_code").Range(), "an attempt that ended with exit code %d can't be %s", code, out.result.Status))
	}
	r.failure(&out.result, b, code)
	r.outputs(t, s, b, &out)
	return out
}

// failure completes the result of an attempt that doesn't succeed.
func (r *reader) failure(result *record.Result, b *decode.Block, code int) {
	a := r.project.Attributes
	if result.Status == record.Succeeded {
		zero := 0
		result.ExitCode = &zero
		for _, name := range []string{"reason", "message", "infrastructure"} {
			if e := b.Attr(name); e != nil {
				r.project.Diags.Add(diag.New("out-of-place", e.Range(), "`%s` belongs to a failure, and this status is \"succeeded\"", name).
					WithSuggestion("add `status = \"failed\"`"))
			}
		}
		return
	}
	result.Class, result.Reason = record.ClassUser, record.ReasonError
	if result.Status == record.TimedOut {
		result.Reason = record.ReasonTimeout
	} else if code == 0 {
		code = 1
	}
	if text, ok := a.String(b, "reason"); ok {
		result.Reason = text
	}
	result.Message, _ = a.String(b, "message")
	if infra, _ := a.Bool(b, "infrastructure"); infra {
		result.Class = record.ClassInfrastructure
		if b.Attr("exit_code") == nil {
			return
		}
	}
	if code != 0 {
		result.ExitCode = &code
	}
}

// outputs reads the outputs of an attempt, which are evaluated when it ends.
func (r *reader) outputs(t *Test, s *stepTypes, b *decode.Block, out *outcome) {
	e := b.Attr("outputs")
	if e == nil {
		return
	}
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		r.project.Diags.Add(diag.New("type-mismatch", e.Range(), "`outputs` must be written out: { NAME = VALUE }"))
		return
	}
	if out.result.Status != record.Succeeded {
		r.project.Diags.Add(diag.New("out-of-place", e.Range(), "an attempt that is %s has no outputs", out.result.Status))
		return
	}
	for _, item := range object.Items {
		name := evaluate.KeyName(item.KeyExpr)
		want, known := s.outputs[name]
		if !known {
			names := evaluate.Names(s.outputs)
			r.project.Diags.Add(diag.New("unknown-reference", item.KeyExpr.Range(), "step %q has no output %q", s.def.Name, name).
				WithDetail("%s", evaluate.Listed("Declared", names)).DidYouMean(name, names))
			continue
		}
		if out.outputs[name] != nil {
			r.project.Diags.Add(diag.New("duplicate", item.KeyExpr.Range(), "the output %q has two values", name))
			continue
		}
		got := t.expressions.check(item.ValueExpr, scope{project: r.project, roots: t.pipeline.mockRoots(s)})
		if got == cty.NilType {
			continue
		}
		if !types.HasArtifact(want) && got != cty.DynamicPseudoType && !(isNull(item.ValueExpr) && s.optional[name]) {
			if m := types.Assignable(got, want); m != nil && !evaluate.IsTemplate(item.ValueExpr) {
				r.project.Diags.Add(evaluate.Mismatch(item.ValueExpr, got, want, m, r.project.Scope.Source))
				continue
			}
		}
		out.outputs[name] = item.ValueExpr
	}
}

func isNull(e hclsyntax.Expression) bool {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	return ok && l.Val.IsNull()
}

// mockOf returns the most exact mock of a step.
func (t *Test) mockOf(addr record.Address) *mock {
	for _, name := range lookup(addr) {
		if m := t.mocks[name]; m != nil {
			return m
		}
	}
	return nil
}

// lookup returns the labels that a mock of an address can have, the most exact one first: without its round, then also
// without its instance, then without those of the steps that call it.
func lookup(addr record.Address) []string {
	text := string(addr)
	out := []string{text}
	if n, ok := addr.Round(); ok {
		text = strings.TrimSuffix(text, "#"+strconv.Itoa(n))
		out = append(out, text)
	}
	if _, ok := record.Address(text).Key(); ok {
		if parent, ok := record.Address(text).Parent(); ok {
			out = append(out, string(parent))
		}
	}
	return append(out, strings.Join(addr.Steps(), "."))
}

// Cached reports whether an earlier run has the result of a step.
func (t *Test) Cached(addr record.Address) bool {
	m := t.mockOf(addr)
	return m != nil && m.cached
}
