package engine

import (
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestMayStart: which attempts may still be asked for, in each phase of a step.
func TestMayStart(t *testing.T) {
	p := &program.Program{Version: 1, Pipeline: "p", OnFailure: "continue", Steps: []program.Step{
		{Name: "a", Command: []program.Value{{Const: []byte(`"true"`)}}, Retry: program.Retry{Attempts: 1, Infrastructure: 3}},
	}}
	s, err := New(p, &record.Run{Name: "r", UID: "u"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string, want ...bool) {
		t.Helper()
		for i, w := range want {
			if got := s.MayStart(record.AttemptID{Step: "a", Attempt: i + 1}); got != w {
				t.Errorf("%s: attempt %d may start: %v", when, i+1, got)
			}
		}
	}
	check("before the start", true, true)
	s, _ = Next(s, record.Event{Type: record.RunStarted})
	check("while the first attempt runs", true, true)
	lost := &record.Result{Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonLost}
	s, _ = Next(s, record.Event{Type: record.AttemptEnded, Step: "a", Attempt: 1, Result: lost})
	check("between attempts", false, true, true)
	s, _ = Next(s, record.Event{Type: record.TimerFired, Timer: "retry/a/2"})
	check("while the second attempt runs", false, true, true)
	s, _ = Next(s, record.Event{Type: record.AttemptEnded, Step: "a", Attempt: 2, Result: &record.Result{Status: record.Succeeded}})
	check("after the end", false, false, false)
	if !s.MayStart(record.AttemptID{Step: "a[0]", Attempt: 1}) {
		t.Error("a step that the run doesn't have yet may not start")
	}
}
