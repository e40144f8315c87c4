package runs

import (
	"errors"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func TestApproval(t *testing.T) {
	gate := func(name string) program.Step { return program.Step{Name: name, Approval: &program.Approval{}} }
	p := &program.Program{
		Steps: []program.Step{
			{Name: "call", Call: &program.Call{Pipeline: "q"}, Repeat: &program.Repeat{Max: 2}}, gate("done"), gate("each"), gate("later"), gate("never"), {Name: "train"},
		},
		Called: []program.Called{{Name: "q", Steps: []program.Step{gate("ok"), {Name: "work"}}}},
	}
	ask := &record.Ask{Message: "go?"}
	d := &Detail{Run: &record.Run{Name: "r"}, Steps: []record.StepEnd{
		{Name: "call", Status: record.Running}, {Name: "call#1", Status: record.Running}, {Name: "call#1.ok", Status: record.Running, Ask: ask},
		{Name: "done", Status: record.Succeeded, Ask: ask, Answer: &record.Answer{By: "eva"}},
		{Name: "each", Status: record.Running}, {Name: `each["a.b"]`, Status: record.Running, Ask: ask},
		{Name: `each["c"]`, Status: record.TimedOut, Ask: ask, Reason: record.ReasonTimeout, Message: "there was no answer within 1h0m0s"},
		{Name: "later", Status: record.Pending}, {Name: "never", Status: record.Skipped, Message: "its condition is false"}, {Name: "train", Status: record.Running},
	}}
	for _, c := range []struct{ address, want string }{
		{"call#1.ok", ""}, {`each["a.b"]`, ""},
		{"", `unknown: 2 approvals of run r are waiting, and the command names none: call#1.ok, each["a.b"]`},
		{"done", "done of run r is no longer waiting for approval: it was approved by eva"},
		{`each["c"]`, `each["c"] of run r is no longer waiting for approval: there was no answer within 1h0m0s`},
		{"each", `unknown: each is not waiting for approval; waiting: call#1.ok, each["a.b"]`},
		{"call", `unknown: call is not waiting for approval; waiting: call#1.ok, each["a.b"]`},
		{"train", `unknown: train is not waiting for approval; waiting: call#1.ok, each["a.b"]`},
		{"later", "later of run r is not waiting for approval yet"},
		{"never", "never of run r never requested approval: it was skipped (its condition is false)"},
		{"call#2.ok", "call#2.ok of run r does not exist yet, and is not waiting for approval"},
		{"call#2.okay", `unknown: run r has no step call#2.okay; waiting: call#1.ok, each["a.b"]`},
		{"train.ok", `unknown: run r has no step train.ok; waiting: call#1.ok, each["a.b"]`},
		{`[`, `unknown: run r has no step [; waiting: call#1.ok, each["a.b"]`},
		{`..`, `unknown: run r has no step ..; waiting: call#1.ok, each["a.b"]`},
	} {
		s, err := d.Approval(p, c.address)
		var none *NoApprovalError
		got := ""
		if errors.As(err, &none) && none.Unknown {
			got = "unknown: "
		}
		if err != nil {
			got += err.Error()
		}
		if got != c.want || err == nil && s.Name != c.address {
			t.Errorf("%s: got  %s\nwant %s", c.address, got, c.want)
		}
	}
	d.Steps = d.Steps[5:6]
	if s, err := d.Approval(p, ""); err != nil || s.Name != `each["a.b"]` {
		t.Errorf("the only one: %v, %v", s, err)
	}
	d.Steps = nil
	if _, err := d.Approval(p, ""); err == nil || err.Error() != "nothing in run r is waiting for approval" {
		t.Errorf("none: %v", err)
	}
}
