package view

import (
	"time"

	"pipec.dev/pipec/schema/record"
)

// What is kept of a step's log, to show it where it failed.
const (
	tailLines = 10
	tailWidth = 500
)

// step is a step as it is shown.
type step struct {
	name    string
	status  record.Status
	waiting bool // for its next attempt
	attempt int
	started time.Time
	end     *record.StepEnd
	from    string   // the run that its result is from
	tail    []string // its last lines, made safe
	note    string   // why its last attempt failed
	wait    wait
	ask     *record.Ask // it waits for an answer to this
	order   int         // when it last changed

	parts  []string // the addresses of what is beneath it, as they came: instances, rounds, steps of a pipeline
	counts map[record.Status]int
	part   bool // it is beneath another one
}

// wait is what a step, or the run, waits for; the zero value: nothing.
type wait struct {
	what  string
	since time.Time
}

// text says what is waited for, and since when; "" where nothing is.
func (w wait) text(now time.Time) string {
	if w.what == "" {
		return ""
	}
	return "waiting for " + safe(w.what, tailWidth) + " (since " + duration(now.Sub(w.since)) + ")"
}

// model is a run as it stands.
type model struct {
	run      string
	started  time.Time
	cancels  int
	steps    map[string]*step
	names    []string
	end      *record.End
	warnings []string
	finished int // steps that have ended
	changes  int
	wait     wait
}

func newModel(names []string) *model {
	m := &model{steps: map[string]*step{}}
	for _, name := range names {
		m.step(name)
	}
	return m
}

// step is the step named; one that wasn't known comes last.
func (m *model) step(name string) *step {
	s := m.steps[name]
	if s != nil {
		return s
	}
	s = &step{name: name, status: record.Pending}
	m.steps[name] = s
	if root := record.Address(name).Root(); root != name && m.steps[root] != nil {
		s.part = true
		above := m.steps[root]
		above.parts = append(above.parts, name)
		if above.counts == nil {
			above.counts = map[record.Status]int{}
		}
		above.counts[s.status]++
		return s
	}
	m.names = append(m.names, name)
	return s
}

// becomes gives a step another status, and counts it where it is part of one.
func (m *model) becomes(s *step, status record.Status) {
	if s.part {
		counts := m.steps[record.Address(s.name).Root()].counts
		counts[s.status]--
		counts[status]++
	}
	s.status = status
}

// event takes in what happened.
func (m *model) event(e *record.Event) {
	if e.Run != "" {
		m.run = e.Run
	}
	if m.started.IsZero() && e.Type != record.StepWaiting {
		m.started = e.At
	}
	switch e.Type {
	case record.CancelRequested:
		m.cancels++
	case record.RunEnded:
		m.end = e.RunEnd
	case record.Warned:
		m.warnings = append(m.warnings, e.Text)
	case record.StepWaiting:
		if e.Step == "" {
			m.wait = wait{e.Text, e.At}
		}
	}
	if e.Step == "" {
		return
	}
	s := m.step(e.Step)
	m.changes++
	s.order = m.changes
	switch e.Type {
	case record.StepStarted:
		m.becomes(s, record.Running)
		s.started, s.attempt, s.waiting = e.At, max(e.Attempt, 1), false
	case record.StepRetried:
		s.note, s.waiting, s.attempt = e.Text, true, e.Attempt+1
	case record.StepKept, record.CacheChecked:
		s.from = e.From
	case record.StepWaiting:
		s.wait = wait{e.Text, e.At}
	case record.StepAsks:
		if s.end == nil {
			s.ask = e.Ask
		}
	case record.StepLog:
		s.waiting = false
		s.addLine(e.Text)
	case record.StepEnded:
		if s.end == nil && !s.part {
			m.finished++
		}
		s.ask = nil
		if s.end = e.End; e.End != nil {
			m.becomes(s, e.End.Status)
			if s.from == "" {
				s.from = e.End.Run
			}
		}
	}
}

func (s *step) addLine(text string) {
	text = safe(text, tailWidth)
	if text == "" {
		return
	}
	if len(s.tail) == tailLines {
		copy(s.tail, s.tail[1:])
		s.tail = s.tail[:tailLines-1]
	}
	s.tail = append(s.tail, text)
}

// took is how long the step has run.
func (s *step) took(now time.Time) time.Duration {
	switch {
	case s.started.IsZero():
		return 0
	case s.end != nil:
		return max(s.end.EndedAt.Sub(s.started), 0)
	}
	return max(now.Sub(s.started), 0)
}

// failed says whether the step has ended badly.
func (s *step) failed() bool {
	return s.status == record.Failed || s.status == record.TimedOut || s.status == record.Cancelled
}
