package podstate_test

import (
	"testing"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestPauses: after each failure of the infrastructure that the table knows, the next attempt waits, and longer each time: a
// node that rejects pods must not use up the budget within a second. A failure of the user is repeated as the step says.
func TestPauses(t *testing.T) {
	for _, row := range podstate.Rows() {
		if row.Class != record.ClassInfrastructure {
			continue
		}
		reason := row.Reason
		if row.Wait != podstate.Done {
			reason = row.Wait.EndReason()
		}
		last, want := time.Duration(0), time.Second
		for i, pause := range pauses(t, row.Class, reason, 6) {
			if pause < want*9/10 || pause > want*11/10 {
				t.Errorf("%s: pause %d is %s, expected about %s", row.Name, i+1, pause, want)
			}
			if pause <= last && want < 5*time.Minute {
				t.Errorf("%s: pause %d is %s after %s", row.Name, i+1, pause, last)
			}
			last, want = pause, min(4*want, 5*time.Minute)
		}
	}
	for _, pause := range pauses(t, record.ClassUser, record.ReasonOOM, 3) {
		if pause != 0 {
			t.Errorf("a failure of the user: pause %s", pause)
		}
	}
}

// pauses returns the pauses of a step that fails n times with the same reason.
func pauses(t *testing.T, class record.Class, reason string, n int) (out []time.Duration) {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := &program.Program{Version: program.Version, Project: "p", Pipeline: "p", Steps: []program.Step{
		{Name: "a", Retry: program.Retry{Attempts: n + 1, Infrastructure: n + 1}},
	}}
	s, err := engine.New(p, &record.Run{Name: "r", UID: "u"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	events := []record.Event{{Type: record.RunStarted}}
	for attempt := 1; len(events) > 0; {
		e := events[0]
		events = events[1:]
		e.At = now
		_, actions := engine.Next(s, e)
		for _, a := range actions {
			switch a := a.(type) {
			case engine.StartAttempt:
				if attempt = a.Spec.Attempt; attempt <= n {
					r := &record.Result{Status: record.Failed, Class: class, Reason: reason}
					events = append(events, record.Event{Type: record.AttemptEnded, Step: "a", Attempt: attempt, Result: r})
				}
				if attempt > 1 && len(out) < attempt-1 {
					out = append(out, 0)
				}
			case engine.SetTimer:
				out = append(out, a.At.Sub(now))
				now = a.At
				events = append(events, record.Event{Type: record.TimerFired, Timer: a.Name})
			}
		}
	}
	if len(out) != n {
		t.Fatalf("%s %s: %d pauses, expected %d", class, reason, len(out), n)
	}
	return out
}
