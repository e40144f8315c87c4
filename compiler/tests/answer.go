package tests

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// answer is the answer to an approval.
type answer struct {
	reject bool
	reason string
	value  json.RawMessage
	after  time.Duration
}

// answer reads the answer to an approval.
func (r *reader) answer(t *Test, b *decode.Block) {
	s := r.address(t, b)
	if s == nil {
		return
	}
	if s.def.Approval == nil {
		r.project.Diags.Add(diag.New("out-of-place", b.LabelRange, "step %q is not an approval", b.Label).
			WithSuggestion("write mock %q { … }", b.Label))
		return
	}
	attrs := r.project.Attributes
	a := &answer{after: time.Second}
	if d, ok := attrs.Duration(b, "after"); ok {
		a.after = d
	}
	a.reject, _ = attrs.Bool(b, "reject")
	a.reason, _ = attrs.String(b, "reason")
	t.answers[b.Label] = a
	want, has := s.outputs[program.ApprovalOutput]
	e := b.Attr("value")
	switch {
	case e == nil && has && !a.reject && !b.Tried("value"):
		r.project.Diags.Add(diag.New("missing", b.DefRange, "the approval %q expects %s", b.Label, types.Phrase(want)).WithSuggestion("add `value`"))
	case e == nil:
	case !has:
		r.project.Diags.Add(diag.New("out-of-place", e.Range(), "the approval %q expects no value", b.Label).WithSuggestion("remove `value`"))
	default:
		v, ok := r.project.Constants.Const(e)
		if !ok {
			return
		}
		v, err := types.Convert(evaluate.Texts(e, v, want), want)
		if err != nil {
			r.project.Diags.Add(evaluate.Mismatch(e, v.Type(), want, err))
			return
		}
		if a.value, err = types.ToJSON(v); err != nil {
			r.project.Diags.Add(diag.New("invalid-value", e.Range(), "%v", err))
		}
	}
}

// Answer returns the answer to an approval and how long it takes; nil if the test has none.
func (t *Test) Answer(addr record.Address) (*record.Answer, time.Duration) {
	for _, name := range lookup(addr) {
		if a := t.answers[name]; a != nil {
			return &record.Answer{By: "test", Reject: a.reject, Reason: a.reason, Value: a.value}, a.after
		}
	}
	return nil, 0
}
