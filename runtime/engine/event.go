package engine

import (
	"slices"
	"time"

	"pipec.dev/pipec/schema/record"
)

func (s *State) runStarted() {
	if s.started {
		return
	}
	s.started = true
	if t := s.program.Timeout.D(); t > 0 && !s.timedOut {
		s.act(SetTimer{Name: runTimer, At: s.now.Add(t)})
	}
	for i := range s.nodes {
		s.decide(i)
	}
}

// stepKept ends a step with the result that it had in the run that this one reruns. A result that won't do (none, or
// one that lacks an output) lets the step run as any other.
func (s *State) stepKept(e record.Event) {
	i, ok := s.byName[e.Step]
	if !ok {
		return
	}
	n := &s.nodes[i]
	if n.phase != pending && (n.phase != ready || n.attempts > 0) {
		return
	}
	if usable(n, e.Result) {
		n.end.Kept = true
		s.take(i, e)
		return
	}
	if n.held {
		n.held = false
		s.released(i)
	}
}

func (s *State) cacheChecked(e record.Event) {
	i, ok := s.byName[e.Step]
	if !ok || s.nodes[i].phase != checking {
		return
	}
	s.busy--
	n := &s.nodes[i]
	if usable(n, e.Result) {
		n.end.Cached = true
		s.take(i, e)
		return
	}
	s.launch(i)
}

// usable says whether the result of another run can stand for the step's.
func usable(n *node, r *record.Result) bool {
	return r != nil && r.Status == record.Succeeded && missingOutput(n, r) == ""
}

// missingOutput is the name of an output that is declared and not in the result, or "".
func missingOutput(n *node, r *record.Result) string {
	for i := range n.step.Outputs {
		name := n.step.Outputs[i].Name
		if !slices.ContainsFunc(r.Outputs, func(d record.Datum) bool { return d.Name == name }) {
			return name
		}
	}
	return ""
}

// take ends a step with the result of another run.
func (s *State) take(i int, e record.Event) {
	n := &s.nodes[i]
	n.end.Run, n.end.Attempt = e.From, e.Result.Attempt
	if n.end.Run == "" {
		n.end.Run = e.Result.Run
	}
	n.end.ExitCode, n.end.Outputs = e.Result.ExitCode, e.Result.Outputs
	s.end(i, record.Succeeded, "", "")
}

// attemptStarted makes the time of the start exact; a driver need not tell it.
func (s *State) attemptStarted(e record.Event) {
	i, ok := s.byName[e.Step]
	if !ok {
		return
	}
	if n := &s.nodes[i]; n.phase == running && n.attempts == 1 && e.Attempt == 1 && e.At.After(n.end.StartedAt) {
		n.end.StartedAt = e.At
	}
}

func (s *State) attemptEnded(e record.Event) {
	i, ok := s.byName[e.Step]
	if !ok {
		return
	}
	n := &s.nodes[i]
	if n.phase != running || n.attempts != e.Attempt {
		return
	}
	s.busy--
	r := checked(n, e.Result)
	n.last = r
	n.end.ExitCode = r.ExitCode
	switch {
	case r.Status == record.Succeeded:
		n.end.Outputs = r.Outputs
		s.end(i, record.Succeeded, "", r.Message)
	case n.stopping != "":
		s.end(i, record.Cancelled, record.ReasonCancelled, n.stopping)
	case r.Status == record.Cancelled:
		s.end(i, record.Cancelled, r.Reason, r.Message)
	default:
		s.failedAttempt(i)
	}
}

// checked is r, or what it has to be taken for: an attempt without a result has not happened, and a success without its
// outputs is none.
func checked(n *node, r *record.Result) *record.Result {
	if r == nil || r.Status != record.Succeeded && r.Status != record.Failed && r.Status != record.TimedOut && r.Status != record.Cancelled {
		return &record.Result{
			Status: record.Failed, Class: record.ClassInfrastructure,
			Reason: record.ReasonLost, Message: "the attempt has left no result",
		}
	}
	if r.Status != record.Succeeded {
		return r
	}
	if name := missingOutput(n, r); name != "" {
		bad := *r
		bad.Status, bad.Class, bad.Outputs = record.Failed, record.ClassUser, nil
		bad.Reason, bad.Message = record.ReasonOutputMissing, "the output "+name+" is not there"
		return &bad
	}
	return r
}

func (s *State) timerFired(e record.Event) {
	if e.Timer == runTimer {
		if s.started && s.program.Timeout.D() > 0 && !s.timedOut && !s.finallyOpen {
			s.timedOut = true
			s.halt(0, true, "the run took longer than its timeout of "+s.program.Timeout.D().Round(time.Millisecond).String())
		}
		return
	}
	i, ok := s.timers[e.Timer]
	if !ok {
		return
	}
	delete(s.timers, e.Timer)
	if n := &s.nodes[i]; n.phase == waiting {
		n.phase = ready
		s.ready.push(i)
	}
}

// cancelRequested stops the steps, the second time finally's too.
func (s *State) cancelRequested() {
	s.cancels++
	if !s.finallyOpen {
		s.halt(0, true, "the run was cancelled")
	}
	if s.cancels > 1 {
		s.halt(1, true, "the run was cancelled twice")
	}
}
