package engine

import (
	"slices"
	"time"

	"pipec.dev/pipec/schema/record"
)

func (s *State) runStarted() {
	if s.life.started {
		return
	}
	s.life.started = true
	if t := s.eval.program.Timeout.D(); t > 0 && !s.graph.frames[0].timedOut {
		s.out.act(SetTimer{Name: runTimer, At: s.out.now.Add(t)})
	}
	s.life.frameChecks = append(s.life.frameChecks, 0)
	for i := range s.graph.nodes { // later nodes are decided when they are created
		if s.graph.nodes[i].frame == 0 && s.graph.nodes[i].isStep() {
			s.life.decide(i)
		}
	}
}

// stepKept ends a step with the result that it had in the run that this one reruns. Without a result, or with one that lacks
// an output, the step runs like any other.
func (s *State) stepKept(e record.Event) {
	i, ok := s.graph.byAddr[e.Step]
	if !ok {
		s.expansion.kept[e.Step] = e // the node does not exist yet
		return
	}
	n := &s.graph.nodes[i]
	if n.kind != process && n.kind != approval || s.graph.frames[n.frame].again {
		return
	}
	if n.phase != pending && (n.phase != ready || n.attempts > 0) {
		return
	}
	if usable(n, e.Result) {
		n.end.Kept = true
		s.life.take(i, e)
		return
	}
	if n.awaitsKept {
		n.awaitsKept = false
		s.life.released(i)
	}
}

func (s *State) cacheChecked(e record.Event) {
	i, ok := s.graph.byAddr[e.Step]
	if !ok || s.graph.nodes[i].phase != checking {
		return
	}
	n := &s.graph.nodes[i]
	n.end.Cache = e.Cache
	if usable(n, e.Result) {
		n.end.Cached = true
		s.life.take(i, e)
		s.sched.release(i)
		return
	}
	if n.step.Concurrency != nil { // a step that waits for a slot does not count against the limits
		s.sched.release(i)
		s.groups.enqueue(i)
		return
	}
	s.life.launch(i)
}

// usable reports whether the result of another run can be the result of the step.
func usable(n *node, r *record.Result) bool {
	return r != nil && r.Status == record.Succeeded && missingOutput(n, r) == ""
}

// missingOutput returns the name of an output that is declared, not optional and not in the result, or "".
func missingOutput(n *node, r *record.Result) string {
	for i := range n.step.Outputs {
		name := n.step.Outputs[i].Name
		if !n.step.Outputs[i].Optional && !slices.ContainsFunc(r.Outputs, func(d record.Datum) bool { return d.Name == name }) {
			return name
		}
	}
	return ""
}

// take ends a step with the result of another run.
func (lc *lifecycle) take(i int, e record.Event) {
	n := &lc.graph.nodes[i]
	n.end.Run, n.end.Attempt = e.From, e.Result.Attempt
	if n.end.Run == "" {
		n.end.Run = e.Result.Run
	}
	n.end.ExitCode, n.end.Outputs = e.Result.ExitCode, e.Result.Outputs
	n.end.Ask, n.end.Answer = e.Ask, e.Answer
	lc.end(i, record.Succeeded, "", "")
}

// attemptStarted sets the exact time of the start. A driver need not report it.
func (s *State) attemptStarted(e record.Event) {
	i, ok := s.graph.byAddr[e.Step]
	if !ok {
		return
	}
	if n := &s.graph.nodes[i]; n.phase == running && n.attempts == 1 && e.Attempt == n.number() && e.At.After(n.end.StartedAt) {
		n.end.StartedAt = e.At
	}
}

func (s *State) attemptEnded(e record.Event) {
	i, ok := s.graph.byAddr[e.Step]
	if !ok {
		return
	}
	n := &s.graph.nodes[i]
	if n.phase != running || n.number() != e.Attempt {
		return
	}
	r := checked(n, e.Result)
	n.lastResult = r
	n.end.ExitCode = r.ExitCode
	defer s.sched.release(i)
	s.groups.leave(i)
	switch {
	case r.Status == record.Succeeded && !(r.ToldToStop && n.stopping != ""): // an attempt that the run stopped is cancelled
		n.end.Outputs = r.Outputs
		s.life.end(i, record.Succeeded, "", r.Message)
	case n.stopping != "":
		s.life.end(i, record.Cancelled, record.ReasonCancelled, n.stopping)
	case r.Status == record.Cancelled:
		s.life.end(i, record.Cancelled, r.Reason, r.Message)
	default:
		s.life.failedAttempt(i)
	}
}

// checked returns the result to use for r. An attempt without a result is lost, and a success without all outputs has failed.
func checked(n *node, r *record.Result) *record.Result {
	if r == nil || r.Status != record.Succeeded && r.Status != record.Failed && r.Status != record.TimedOut && r.Status != record.Cancelled {
		return &record.Result{
			Status: record.Failed, Class: record.ClassInfrastructure,
			Reason: record.ReasonLost, Message: "the attempt ended without a result",
		}
	}
	if r.Status != record.Succeeded {
		return r
	}
	if name := missingOutput(n, r); name != "" {
		bad := *r
		bad.Status, bad.Class, bad.Outputs = record.Failed, record.ClassUser, nil
		bad.Reason, bad.Message = record.ReasonOutputMissing, "the output "+name+" is missing"
		return &bad
	}
	return r
}

func (s *State) timerFired(e record.Event) {
	if e.Timer == runTimer {
		s.timeout(0, "the run")
		return
	}
	if k, ok := s.expansion.timeouts[e.Timer]; ok {
		delete(s.expansion.timeouts, e.Timer)
		s.timeout(k, s.graph.timeoutOf(k))
		return
	}
	if i, ok := s.approvals.timers[e.Timer]; ok {
		delete(s.approvals.timers, e.Timer)
		s.approvals.answerTimeout(i)
		return
	}
	i, ok := s.retries.timers[e.Timer]
	if !ok {
		return
	}
	delete(s.retries.timers, e.Timer)
	if s.graph.nodes[i].phase == waiting {
		s.sched.makeReady(i)
	}
}

// timeout stops the steps of a frame that has taken too long.
func (s *State) timeout(k int, what string) {
	sc := &s.graph.frames[k]
	if !s.life.started || sc.timeout.D() <= 0 || sc.timedOut || sc.finallyOpen || sc.over {
		return
	}
	sc.timedOut = true
	s.life.halt(k, 0, true, what+" took longer than its timeout of "+sc.timeout.D().Round(time.Millisecond).String())
}

// cancelRequested stops the steps, and those of finally the second time.
func (s *State) cancelRequested() {
	s.cancels++
	s.graph.frames[0].cancelled = true
	if !s.graph.frames[0].finallyOpen {
		s.life.halt(0, 0, true, "the run was cancelled")
	}
	if s.cancels > 1 {
		const why = "the run was cancelled twice"
		s.life.halt(0, 1, true, why)
		for k := 1; k < len(s.graph.frames); k++ { // called pipelines have a finally of their own
			if !s.graph.frames[k].over {
				s.life.halt(k, 1, true, why)
			}
		}
	}
}
