package kube

import (
	"bytes"
	"context"
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

// TestAppeared: a pod of an earlier coordinator appears while the creation of the pod waits for the log.
func TestAppeared(t *testing.T) {
	for name, c := range map[string]struct {
		from   phase
		pod    podView
		ending ending
		to     phase
	}{
		"it runs":       {searching, podView{uid: "u", began: now()}, ending{}, watching},
		"it is gone":    {searching, podView{uid: "u", gone: true}, ending{}, revoking},
		"it is deleted": {removing, podView{uid: "u"}, ending{result: &record.Result{Status: record.Failed}}, removing},
		"none appears":  {searching, podView{}, ending{}, creating},
	} {
		ctx, stop := context.WithCancel(t.Context())
		stop() // no request is sent
		var out bytes.Buffer
		d := newDriver(&Options{Out: &out}, &Loaded{program: &program.Program{}})
		newLease(d)
		d.ctx, d.record, d.resumed = ctx, &record.Run{Name: "run"}, true
		a := newAttempt(d, record.AttemptID{Step: "a", Attempt: 1})
		a.spec.Def = &program.Step{}
		a.phase, a.pod, a.ending = c.from, c.pod, c.ending
		a.create()
		if a.phase != c.to || out.Len() > 0 {
			t.Errorf("%s: %s leads to %s: %s", name, c.from, a.phase, out.String())
		}
		a.timers.stopAll()
		d.working.Wait()
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
