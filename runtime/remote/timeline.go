package remote

import (
	"slices"
	"time"

	"pipec.dev/pipec/schema/record"
)

// timeline passes the events of a run to the observer, each once. It receives them from the coordinator's log and from the
// records, and holds an event of a step back until the lines that come before it are shown. Owned by the loop goroutine.
type timeline struct {
	run     string
	observe func(record.Event)
	logs    *logs
	waits   *waits

	taken   map[string]bool // keys of the events so far
	steps   map[string]*stepEvents
	busy    int           // steps that have held events
	cancels int           // cancellations requested here, whose events from the coordinator have not come yet
	end     *record.Event // RunEnded, passed on after all other events
	done    bool          // everything is passed on
}

// stepEvents are the events of a step.
type stepEvents struct {
	held  []record.Event // the first waits for lines, the others for the first
	ended bool
}

func newTimeline(run string, observe func(record.Event), l *logs, w *waits) *timeline {
	return &timeline{run: run, observe: observe, logs: l, waits: w, taken: map[string]bool{}, steps: map[string]*stepEvents{}}
}

// event returns a new event of the run.
func (t *timeline) event(kind record.EventType, at time.Time) record.Event {
	return record.Event{Version: record.Version, Type: kind, At: at, Run: t.run}
}

// take passes an event to the observer, now or when the events and lines before it are shown. Known events are ignored.
func (t *timeline) take(e record.Event) {
	key := eventKey(&e)
	if t.taken[key] || t.done {
		return
	}
	t.taken[key] = true
	switch {
	case e.Type == record.CancelRequested && t.cancels > 0:
		t.cancels-- // the observer was notified of the request
	case e.Type == record.RunEnded:
		t.runEnded(e)
	case e.Step == "":
		t.observe(e)
	default:
		s := t.steps[e.Step]
		if s == nil {
			s = &stepEvents{}
			t.steps[e.Step] = s
		}
		if s.held = append(s.held, e); len(s.held) == 1 {
			t.busy++
			t.pass(s)
		}
	}
}

// pass passes on the held events of a step, up to the first that has to wait for lines.
func (t *timeline) pass(s *stepEvents) {
	for len(s.held) > 0 {
		e := s.held[0]
		if !t.logs.shownBefore(&e) {
			return
		}
		s.held = s.held[1:]
		t.observe(e)
		switch e.Type {
		case record.StepEnded:
			s.ended = true
			t.waits.endStep(e.Step)
		case record.AttemptEnded:
			t.waits.endStep(e.Step)
		}
		t.logs.passed(&e)
	}
	t.busy--
	t.finish()
}

// resume passes on the held events of a step after lines were shown.
func (t *timeline) resume(step string) {
	if s := t.steps[step]; s != nil && len(s.held) > 0 {
		t.pass(s)
	}
}

// stepEnded reports whether the observer has received the end of a step.
func (t *timeline) stepEnded(step string) bool {
	s := t.steps[step]
	return s != nil && s.ended
}

// runEnded adds the ends of steps that are in the end of the run only. The end itself is passed on last.
func (t *timeline) runEnded(e record.Event) {
	t.end = &e
	t.busy++ // until the ends of all steps are taken
	if e.RunEnd != nil {
		steps := slices.Clone(e.RunEnd.Steps)
		slices.SortStableFunc(steps, func(a, b record.StepEnd) int { return a.EndedAt.Compare(b.EndedAt) })
		for i := range steps {
			t.takeStep(&steps[i])
		}
	}
	t.busy--
	t.finish()
}

// finish passes on the end of the run if no other events are held.
func (t *timeline) finish() {
	if t.end != nil && t.busy == 0 && !t.done {
		t.done = true
		t.observe(*t.end)
	}
}
