package kube

import (
	"bytes"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestMoves tries all pairs of phases: a legal move is made, and any other is ignored and reported as a bug.
func TestMoves(t *testing.T) {
	want := map[phase]string{
		preparing:  "searching creating watching revoking ended",
		searching:  "creating watching removing revoking ended",
		creating:   "watching removing revoking ended",
		watching:   "removing reading ended",
		removing:   "concluding ended",
		reading:    "explaining concluding revoking ended",
		explaining: "removing concluding ended",
		concluding: "revoking ended",
		revoking:   "removing ended",
		ended:      "",
	}
	for from := range phases {
		var reached []string
		for to := range phases {
			var out bytes.Buffer
			d := newDriver(&Options{Out: &out}, &Loaded{program: &program.Program{}})
			d.record = &record.Run{Name: "run"}
			a := newAttempt(d, record.AttemptID{Step: "a", Attempt: 1})
			a.phase = from
			moved := a.move(to)
			if moved {
				reached = append(reached, to.String())
			}
			if moved != (a.phase == to && from != to) || !moved && a.phase != from {
				t.Errorf("a move from %s to %s, made %v, leads to %s", from, to, moved, a.phase)
			}
			if told := strings.Contains(out.String(), bugNote); told == moved {
				t.Errorf("a move from %s to %s, made %v, is reported as %q", from, to, moved, out.String())
			}
		}
		if got := strings.Join(reached, " "); got != want[from] {
			t.Errorf("%s may be followed by %q, expected %q", from, got, want[from])
		}
	}
}

// TestEndStopsTimers holds an attempt to having no timer that fires after its end, not even one that has fired already
// and waits in the inbox.
func TestEndStopsTimers(t *testing.T) {
	fired := 0
	var inbox []func()
	ts := newTimers(func(f func()) { inbox = append(inbox, f) })
	ts.start(pendingTimer, 1<<40, func() { fired++ })
	ts.fire(pendingTimer, ts.running[pendingTimer])
	ts.start(pendingTimer, 1<<40, func() { fired += 10 }) // in place of the one before
	ts.stopAll()
	for _, f := range inbox {
		f()
	}
	if fired != 0 || len(ts.running) != 0 {
		t.Errorf("%d, %v: a timer has fired after it was stopped", fired, ts.running)
	}
}
