package drive

import (
	"testing"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// timer returns when the timer among the actions is to fire.
func timer(t *testing.T, actions []engine.Action) time.Time {
	t.Helper()
	for _, a := range actions {
		if s, ok := a.(engine.SetTimer); ok {
			return s.At
		}
	}
	t.Fatalf("there is no timer among %v", actions)
	return time.Time{}
}

// TestClocks: neither the clock of a node nor that of an earlier driver, an hour ahead, moves the timer of a retry.
func TestClocks(t *testing.T) {
	retried := program.Step{Name: "a", Retry: program.Retry{Attempts: 2, Delay: program.Duration(10 * time.Second)}}
	failed := record.Event{Type: record.AttemptEnded, Step: "a", Attempt: 1, Result: &record.Result{Version: 1, Status: record.Failed, Class: record.ClassUser}}
	check := func(t *testing.T, actions []engine.Action) {
		t.Helper()
		if wait := time.Until(timer(t, actions)); wait < 5*time.Second || wait > 15*time.Second {
			t.Errorf("the retry waits for %s", wait)
		}
	}
	t.Run("node", func(t *testing.T) {
		r := newRoom(t, retried)
		run := r.begin()
		run.Start()
		run.Take(record.Event{Type: record.AttemptStarted, Step: "a", Attempt: 1, At: Now().Add(time.Hour)})
		check(t, run.Take(failed))
		if err := run.Flush(); err != nil {
			t.Fatal(err)
		}
		for _, e := range r.log() {
			if e.At.After(Now()) {
				t.Errorf("the log has an event of %s: %+v", e.At, e)
			}
		}
	})
	t.Run("driver", func(t *testing.T) {
		r := newRoom(t, retried)
		run := r.begin()
		run.last = Now().Add(time.Hour) // by the clock of the machine where it was begun
		run.Start()
		if err := run.Flush(); err != nil {
			t.Fatal(err)
		}
		next := r.resume()
		next.Start()
		check(t, next.Take(failed))
	})
}
