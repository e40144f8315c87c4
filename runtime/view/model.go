package view

import (
	"time"

	"pipec.dev/pipec/schema/record"
)

// Limits of the end of a step's log, which is shown when the step fails.
const (
	tailLines = 10
	tailWidth = 500
)

// step is the state of a step.
type step struct {
	name    string
	status  record.Status
	waiting bool // waiting for its next attempt
	attempt int
	begun   bool // its process is known to have started
	started time.Time
	end     *record.StepEnd
	from    string   // the run that produced its result
	tail    []string // its last lines, without control characters
	over    bool     // the last of them is the state of an open line: the next one replaces it
	note    string   // why its last attempt failed
	miss    string   // why no cached result is used
	wait    wait
	ask     *record.Ask // the approval that it waits for
	order   int         // number of its last change

	parts  []string // the addresses of its parts in order of appearance: instances, rounds, steps of a called pipeline
	counts map[record.Status]int
	part   bool // it is a part of another step
}

// wait is what a step or the run waits for. The zero value means that nothing is awaited.
type wait struct {
	what  string
	since time.Time
}

// text describes the wait and its start, or returns "" if there is none.
func (w wait) text(now time.Time) string {
	if w.what == "" {
		return ""
	}
	return "waiting for " + safe(w.what, tailWidth) + " (since " + duration(now.Sub(w.since)) + ")"
}

// model is the state of a run.
type model struct {
	run      string
	started  time.Time
	cancels  int
	steps    map[string]*step
	names    []string
	end      *record.End
	warnings []string
	finished int // number of steps that have ended
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

// step returns the step with this name. An unknown name is appended.
func (m *model) step(name string) *step {
	s := m.steps[name]
	if s != nil {
		return s
	}
	s = &step{name: name, status: record.Pending}
	m.steps[name] = s
	if root := record.Address(name).Root(); root != name && m.steps[root] != nil {
		s.part = true
		parent := m.steps[root]
		parent.parts = append(parent.parts, name)
		if parent.counts == nil {
			parent.counts = map[record.Status]int{}
		}
		parent.counts[s.status]++
		return s
	}
	m.names = append(m.names, name)
	return s
}

// becomes sets a step's status, and updates the counts of the step that it is a part of.
func (m *model) becomes(s *step, status record.Status) {
	if s.part {
		counts := m.steps[record.Address(s.name).Root()].counts
		counts[s.status]--
		counts[status]++
	}
	s.status = status
}

// event applies an event to the state.
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
		m.startAgain(s)
		m.becomes(s, record.Running)
		s.started, s.attempt, s.waiting = e.At, max(e.Attempt, 1), false
	case record.StepRetried:
		s.note, s.waiting, s.begun, s.attempt = e.Text, true, false, e.Attempt+1
		m.partsAgain(s)
	case record.AttemptStarted:
		s.begun, s.waiting = true, false
	case record.StepKept, record.CacheChecked:
		s.from, s.miss = e.From, miss(e.Cache)
	case record.StepWaiting:
		s.wait = wait{e.Text, e.At}
	case record.StepAsks:
		if s.end == nil {
			s.ask = e.Ask
		}
	case record.StepLog:
		s.waiting, s.begun = false, true
		s.addLine(e.Text, e.Part)
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

// startAgain takes back the end of a step: it is part of a call that is made again. The call itself no longer waits then.
func (m *model) startAgain(s *step) {
	if s.end != nil && !s.part {
		m.finished--
	}
	s.end, s.from = nil, ""
	for at, ok := record.Address(s.name).Parent(); ok; at, ok = at.Parent() {
		if call := m.steps[at.String()]; call != nil {
			call.waiting = false
		}
	}
}

// partsAgain takes back the ends of the parts of a call that is made again.
func (m *model) partsAgain(call *step) {
	root := m.steps[record.Address(call.name).Root()]
	if root == nil {
		return
	}
	for _, name := range root.parts {
		if part := m.steps[name]; part != call && part.end != nil && record.Address(name).Under(record.Address(call.name)) {
			part.end, part.from = nil, ""
			m.becomes(part, record.Pending)
		}
	}
}

func (s *step) addLine(text string, part record.Part) {
	text = safe(text, tailWidth)
	state, over := part == record.PartState, s.over
	if text == "" {
		s.over = over && state // an invisible state replaces no line
		return
	}
	if s.over = state; over {
		s.tail[len(s.tail)-1] = text
		return
	}
	if len(s.tail) == tailLines {
		copy(s.tail, s.tail[1:])
		s.tail = s.tail[:tailLines-1]
	}
	s.tail = append(s.tail, text)
}

// took returns how long the step has been running.
func (s *step) took(now time.Time) time.Duration {
	switch {
	case s.started.IsZero():
		return 0
	case s.end != nil:
		return max(s.end.EndedAt.Sub(s.started), 0)
	}
	return max(now.Sub(s.started), 0)
}

// queued returns why a step that has started does not run: its parts wait, or its pod. "" means that it runs.
func (s *step) queued(o *Options) string {
	switch {
	case len(s.parts) > 0 && s.counts[record.Pending] == len(s.parts):
		return "queued"
	case len(s.parts) == 0 && o.Detached && !s.begun:
		return "starting"
	}
	return ""
}

// failed reports whether the step ended without success.
func (s *step) failed() bool {
	return s.status == record.Failed || s.status == record.TimedOut || s.status == record.Cancelled
}
