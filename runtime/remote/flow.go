package remote

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// stepFlow brings the events of a step, which the coordinator tells, and its lines, which its pods write, into one
// order: an attempt's lines come after its start and before its end.
type stepFlow struct {
	started  bool
	ended    bool
	attempts map[int]*attemptLog // those whose lines aren't all shown
	shown    map[int]bool        // those whose lines are
	held     []record.Event      // events that wait for lines
}

func (f *follower) step(name string) *stepFlow {
	s := f.steps[name]
	if s == nil {
		s = &stepFlow{attempts: map[int]*attemptLog{}, shown: map[int]bool{}}
		f.steps[name] = s
	}
	return s
}

// key is what makes an event one that was told already: a coordinator that was started again, and the records, tell some
// of them anew.
func key(e *record.Event) string {
	parts := []string{string(e.Type), e.Step}
	switch e.Type {
	case record.StepStarted, record.StepAsks, record.StepEnded, record.CacheChecked, record.StepKept, record.RunStarted, record.RunEnded:
	case record.Warned:
		parts = append(parts, e.Text)
	case record.CancelRequested:
		parts = append(parts, e.At.String())
	default:
		parts = append(parts, fmt.Sprint(e.Attempt), e.Timer, e.Text)
	}
	return strings.Join(parts, "\x00")
}

// take takes an event in, and tells it when it is its turn.
func (f *follower) take(e record.Event) {
	k := key(&e)
	if f.told[k] || f.ended {
		return
	}
	f.told[k] = true
	switch {
	case e.Type == record.CancelRequested && f.asked > 0:
		f.asked-- // it was told when it was asked for
	case e.Type == record.RunEnded:
		f.runEnded(e)
	case e.Step == "":
		f.o.Tell(e)
	default:
		s := f.step(e.Step)
		if s.held = append(s.held, e); len(s.held) == 1 {
			f.busy++
			f.pass(e.Step, s)
		}
	}
}

// pass tells the events of a step, up to one that has to wait for lines.
func (f *follower) pass(name string, s *stepFlow) {
	for len(s.held) > 0 {
		e := s.held[0]
		if !f.linesShown(name, s, &e) {
			return
		}
		s.held = s.held[1:]
		f.o.Tell(e)
		switch e.Type {
		case record.StepStarted:
			s.started = true
		case record.StepEnded:
			s.ended = true
			f.noWait(name)
		case record.AttemptEnded:
			f.noWait(name)
		}
		f.openGate(s)
	}
	f.busy--
	f.endIfDone()
}

// linesShown says whether all lines are shown that come before an event; else it sees to it.
func (f *follower) linesShown(name string, s *stepFlow, e *record.Event) bool {
	switch {
	case !f.o.Lines || !f.wantedStep(name):
		return true
	case e.Type == record.AttemptEnded:
		f.closeAttempt(name, s, e.Attempt, e.Result)
	case e.Type == record.StepEnded:
		if e.End != nil && e.End.Run == "" {
			for n := 1; n <= e.End.Attempts; n++ {
				f.closeAttempt(name, s, n, nil)
			}
		}
		for n := range s.attempts {
			f.closeAttempt(name, s, n, nil)
		}
	}
	if e.Type != record.AttemptEnded && e.Type != record.StepEnded {
		return true
	}
	s.started = true // an end without a start: that was not told
	f.openGate(s)
	return len(s.attempts) == 0 || e.Type == record.AttemptEnded && s.shown[e.Attempt]
}

// closeAttempt says that an attempt has ended; what of its log isn't shown yet is then read.
func (f *follower) closeAttempt(name string, s *stepFlow, n int, result *record.Result) {
	if s.shown[n] {
		return
	}
	a := s.attempts[n]
	if a == nil {
		if result != nil && result.Log.Bytes == 0 || !f.wanted(record.AttemptID{Step: name, Attempt: n}) {
			s.shown[n] = true
			return
		}
		a = f.newAttempt(record.AttemptID{Step: name, Attempt: n}, "", false)
	}
	a.ended(result)
}

// newAttempt begins to show the log of an attempt, when those before it are.
func (f *follower) newAttempt(id record.AttemptID, pod string, late bool) *attemptLog {
	a := newAttemptLog(f.c, f.store, f.run.AttemptDir(id.Step, id.Attempt), pod, late)
	a.emit = func(text string) error {
		select {
		case f.lines <- line{id, text}:
			return nil
		case <-f.ctx.Done():
			return f.ctx.Err()
		}
	}
	a.trouble = func(err error, unread bool) { f.call(func() { f.logTrouble(id, err, unread) }) }
	s := f.step(id.Step)
	s.attempts[id.Attempt] = a
	f.openGate(s)
	f.group.Go(func() {
		a.run(f.ctx)
		f.call(func() { f.attemptShown(id) })
	})
	return a
}

func (f *follower) attemptShown(id record.AttemptID) {
	// Lines that were given are told first: the two channels know nothing of each other.
	for range len(f.lines) {
		f.line(<-f.lines)
	}
	s := f.step(id.Step)
	delete(s.attempts, id.Attempt)
	s.shown[id.Attempt] = true
	f.openGate(s)
	if len(s.held) > 0 {
		f.pass(id.Step, s)
	}
	f.endIfDone()
}

// openGate lets the earliest attempt of a step that has started show its lines.
func (f *follower) openGate(s *stepFlow) {
	first := 0
	for n := range s.attempts {
		if first == 0 || n < first {
			first = n
		}
	}
	if s.started && first > 0 {
		s.attempts[first].open()
	}
}

func (f *follower) wantedStep(name string) bool {
	return f.o.Step == "" || record.Address(name).Under(record.Address(f.o.Step))
}

func (f *follower) wanted(id record.AttemptID) bool {
	return f.o.Lines && f.wantedStep(id.Step) && (f.o.Attempt == 0 || f.o.Attempt == id.Attempt)
}

// runEnded sees to it that all is told that comes before the run's end.
func (f *follower) runEnded(e record.Event) {
	f.end = &e
	f.busy++ // until all steps are begun with
	if e.RunEnd != nil {
		steps := slices.Clone(e.RunEnd.Steps)
		slices.SortStableFunc(steps, func(a, b record.StepEnd) int { return a.EndedAt.Compare(b.EndedAt) })
		for i := range steps {
			f.tellEnd(&steps[i])
		}
	}
	f.busy--
	f.endIfDone()
}

// tellEnd tells how a step has ended, as records say it, where the coordinator has not.
func (f *follower) tellEnd(end *record.StepEnd) {
	if !end.StartedAt.IsZero() {
		f.take(record.Event{Version: record.Version, Type: record.StepStarted, At: end.StartedAt, Run: f.o.Name, Step: end.Name})
	}
	if end.Ask != nil && !end.Status.Ended() {
		f.take(record.Event{Version: record.Version, Type: record.StepAsks, At: end.StartedAt, Run: f.o.Name, Step: end.Name, Ask: end.Ask})
	}
	if end.Status.Ended() {
		f.take(record.Event{Version: record.Version, Type: record.StepEnded, At: end.EndedAt, Run: f.o.Name, Step: end.Name, End: end})
	}
}

func (f *follower) endIfDone() {
	switch {
	case f.ended:
	case f.end != nil && f.busy == 0:
		f.ended = true
		f.o.Tell(*f.end)
	case f.end == nil && f.lost != nil:
		for _, s := range f.steps {
			if len(s.attempts) > 0 {
				return
			}
		}
		f.ended = true
	}
}
