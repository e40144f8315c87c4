package engine

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestApprovalRecord is what the record of an approval says.
func TestApprovalRecord(t *testing.T) {
	long := strings.Repeat("ä", record.MaxMessage)
	sc := newScript(t, pipeline(step("ok", asks("number", program.Approval{Message: program.Value{Const: raw(`"` + long + `"`)}, Timeout: 60 * second, Default: raw("3")}))), newRun(), 0)
	sc.play("start")
	got := sc.s.PendingApprovals()
	if len(got) != 1 || got[0].Step != "ok" || len(got[0].Message) > record.MaxMessage || !strings.HasSuffix(got[0].Message, "ä…") || !got[0].Until.Equal(epoch.Add(time.Minute)) {
		t.Fatalf("asked: %.80v", got)
	}
	if s := sc.s.Steps()[0]; s.Status != record.Running || s.Ask == nil || s.Answer != nil || !s.StartedAt.Equal(epoch) {
		t.Fatalf("while it waits: %+v", s)
	}
	sc.play("+5s", "approve ok 4")
	s := sc.end.Steps[0]
	want := &record.Answer{By: "eva", Value: raw("4")}
	if s.Status != record.Succeeded || !reflect.DeepEqual(s.Answer, want) || s.Ask == nil || s.Attempts != 0 || s.ExitCode != nil || len(sc.s.PendingApprovals()) != 0 {
		t.Fatalf("at the end: %+v", s)
	}
}

// drawApproval makes an approval of a step, now and then.
func drawApproval(t *rapid.T, s *program.Step) {
	if rapid.IntRange(0, 5).Draw(t, "approval") > 0 {
		return
	}
	a := &program.Approval{Message: program.Value{Const: raw(`"go?"`)}, Timeout: program.Duration(rapid.IntRange(0, 2).Draw(t, "approval timeout")) * second}
	if a.Timeout > 0 && rapid.Bool().Draw(t, "approval default") {
		a.Default = raw("2")
	}
	s.Command, s.Cache, s.Retry, s.Inputs, s.Approval = nil, nil, program.Retry{}, nil, a
	if s.Repeat != nil { // as the compiler lets none pass; the engine takes it
		s.Repeat.Carry = nil
	}
	s.Outputs = []program.Output{{Name: "value", Type: "number"}}
}

// drawAnswer is what somebody says to an approval that asks for a number; it may be what can't be taken.
func drawAnswer(t *rapid.T) *record.Answer {
	return rapid.SampledFrom([]*record.Answer{
		{By: "eva", Value: raw("3")}, {Value: raw("4")}, {Reject: true}, {Value: raw(`"x"`)}, {}, nil,
	}).Draw(t, "answer")
}

// asked checks that an approval may ask, and asks once.
func (w *world) asked(a RequestApproval) {
	last := ""
	w.mayStart(a.Step, &last)
	if w.asks[a.Step] || a.Message == "" {
		w.t.Fatalf("%s asks again, or nothing: %+v", a.Step, a)
	}
	w.asks[a.Step] = true
}
