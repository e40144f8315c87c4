package remote

import "pipec.dev/pipec/schema/record"

// shownBefore reports whether all lines are shown that come before an event of a step. If not, it closes the logs of the
// attempts that the event ends, so that their remaining lines are read.
func (l *logs) shownBefore(e *record.Event) bool {
	if !l.selectsStep(e.Step) || e.Type != record.AttemptEnded && e.Type != record.StepEnded {
		return true
	}
	s := l.step(e.Step)
	if e.Type == record.AttemptEnded {
		l.close(e.Step, e.Attempt, e.Result)
	} else {
		if e.End != nil && e.End.Run == "" {
			for n := 1; n <= e.End.Attempts; n++ {
				l.close(e.Step, n, nil)
			}
		}
		for n := range s.open {
			l.close(e.Step, n, nil)
		}
	}
	s.start() // the event with the start may be missing
	return len(s.open) == 0 || e.Type == record.AttemptEnded && s.shown[e.Attempt]
}

// passed notes that the observer has received an event of a step.
func (l *logs) passed(e *record.Event) {
	if e.Type == record.StepStarted && l.selectsStep(e.Step) {
		l.step(e.Step).start()
	}
}

// close notes that an attempt has ended. The rest of its log is then read.
func (l *logs) close(step string, n int, result *record.Result) {
	s, id := l.step(step), record.AttemptID{Step: step, Attempt: n}
	if s.shown[n] {
		return
	}
	a := s.open[n]
	if a == nil {
		if result != nil && result.Log.Bytes == 0 || !l.selects(id) {
			s.shown[n] = true
			return
		}
		a = l.begin(id, "", false, result == nil || result.EndedAt.Before(l.began))
	}
	a.close(result)
}

// closeAll notes that no attempt runs any more.
func (l *logs) closeAll() {
	for name, s := range l.steps {
		for n := range s.open {
			l.close(name, n, nil)
		}
		s.start()
	}
}

// running notes that an attempt of a step is running. The earlier ones have ended. noPods: pods can't be watched, so the
// log is read from the store.
func (l *logs) running(id record.AttemptID, noPods bool) {
	if !l.selectsStep(id.Step) {
		return
	}
	for n := 1; n < id.Attempt; n++ {
		l.close(id.Step, n, nil)
	}
	if s := l.step(id.Step); noPods && s.open[id.Attempt] == nil && !s.shown[id.Attempt] && l.selects(id) {
		l.begin(id, "", true, true)
	}
}

// start lets the step's lines be shown.
func (s *stepLogs) start() {
	s.started = true
	s.advance()
}

// advance lets the earliest attempt that is not shown completely show its lines.
func (s *stepLogs) advance() {
	first := 0
	for n := range s.open {
		if first == 0 || n < first {
			first = n
		}
	}
	if s.started && first > 0 {
		s.open[first].show.set()
	}
}
