package engine

import (
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// What a log leaves open is what a driver that takes over is to do.
func TestOpen(t *testing.T) {
	p := &program.Program{Version: 1, Pipeline: "p", Timeout: program.Duration(time.Hour), Steps: []program.Step{
		{Name: "a", Retry: program.Retry{Attempts: 2, Delay: program.Duration(time.Minute)}},
		{Name: "b", Retry: program.Retry{Attempts: 1}, Cache: &program.Cache{}},
		{Name: "c", Retry: program.Retry{Attempts: 1}},
	}}
	s, err := New(p, &record.Run{Name: "r", UID: "u"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var open Open
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	feed := func(e record.Event) {
		e.At = at
		var actions []Action
		s, actions = Next(s, e)
		open.Observe(&e, actions)
	}
	check := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, a := range open.Pending() {
			switch a := a.(type) {
			case StartAttempt:
				got = append(got, attemptKey("start", a.Step, a.Attempt))
			case StopAttempt:
				got = append(got, attemptKey("stop", a.Step, a.Attempt))
			case CheckCache:
				got = append(got, "check/"+a.Step)
			case SetTimer:
				got = append(got, "timer/"+a.Name)
			case End:
				got = append(got, "end")
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%s: open is %q, want %q", when, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: open is %q, want %q", when, got, want)
			}
		}
	}
	check("before the start")
	feed(record.Event{Type: record.RunStarted})
	check("at the start", "timer/timeout", "start/a/1", "check/b", "start/c/1")
	feed(record.Event{Type: record.CacheChecked, Step: "b"})
	check("b is not in the cache", "timer/timeout", "start/a/1", "start/c/1", "start/b/1")
	feed(record.Event{Type: record.AttemptEnded, Step: "a", Attempt: 1, Result: &record.Result{Status: record.Failed}})
	check("a failed", "timer/timeout", "start/c/1", "start/b/1", "timer/retry/a/2")
	feed(record.Event{Type: record.TimerFired, Timer: "retry/a/2"})
	check("a again", "timer/timeout", "start/c/1", "start/b/1", "start/a/2")
	feed(record.Event{Type: record.CancelRequested})
	check("cancelled", "timer/timeout", "start/c/1", "start/b/1", "start/a/2", "stop/a/2", "stop/b/1", "stop/c/1")
	for _, step := range []string{"a", "b", "c"} {
		n := 1
		if step == "a" {
			n = 2
		}
		feed(record.Event{Type: record.AttemptEnded, Step: step, Attempt: n, Result: &record.Result{Status: record.Failed}})
	}
	check("all have ended", "timer/timeout", "end")
}
