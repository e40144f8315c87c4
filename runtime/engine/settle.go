package engine

import (
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// settle goes on until nothing more follows from what has happened.
func (s *State) settle() {
	for {
		switch {
		case len(s.ended) > 0:
			s.tellDependants()
		case s.mustHalt():
			why := s.nodes[s.failed[0][0]].outcome() + ", and on_failure is " + s.program.OnFailure
			s.halt(0, s.program.OnFailure == "abort", why)
		case !s.started || s.over:
			return
		case s.left[0] == 0 && !s.finallyOpen:
			s.finallyOpen = true
			for i := s.steps; i < len(s.nodes); i++ {
				s.released(i)
			}
		case len(s.ready) > 0 && s.busy < s.limit:
			s.start(s.ready.pop())
		case s.left[0]+s.left[1] == 0:
			s.finish()
			return
		default:
			return
		}
	}
}

func (s *State) mustHalt() bool {
	stops := s.program.OnFailure == "stop" || s.program.OnFailure == "abort"
	return stops && len(s.failed[0]) > 0 && s.halted[0] == ""
}

// tellDependants tells them of all that has ended since the last time.
func (s *State) tellDependants() {
	told := s.ended
	s.ended = nil
	for _, i := range told {
		for _, d := range s.nodes[i].dependants {
			s.released(d)
		}
	}
}

// released is told once for each thing that the node waits for.
func (s *State) released(i int) {
	if s.nodes[i].phase == pending {
		s.nodes[i].waits--
		s.decide(i)
	}
}

// decide lets a node that waits for nothing more be run, or skips it.
func (s *State) decide(i int) {
	n := &s.nodes[i]
	if n.phase != pending || n.waits > 0 || !s.started {
		return
	}
	if why := s.halted[n.group]; why != "" {
		s.skip(i, record.ReasonStopped, why, why)
		return
	}
	if m := s.obstacle(n); m != nil {
		s.skipFor(i, m)
		return
	}
	run, f := s.condition(n)
	switch {
	case f != nil:
		s.end(i, record.Failed, f.reason, f.message)
	case !run:
		s.skip(i, record.ReasonConditionFalse, conditionFalse, "the condition of "+n.step.Name+" is false")
	default:
		n.phase = ready
		s.ready.push(i)
	}
}

// obstacle is the step because of which n can't run: one that failed rather than one that was skipped; or nil.
func (s *State) obstacle(n *node) *node {
	var found *node
	for _, need := range n.step.Needs {
		m := &s.nodes[s.byName[need.Step]]
		if !met(need.Kind, m) && (found == nil || found.status() == record.Skipped && m.status() != record.Skipped) {
			found = m
		}
	}
	return found
}

// met says whether the end of m is good enough.
func met(kind program.NeedKind, m *node) bool {
	switch m.status() {
	case record.Succeeded:
		return true
	case record.Skipped:
		return kind == program.NeedSoft || kind == program.NeedStatus
	case record.Failed, record.TimedOut:
		return kind == program.NeedStatus || kind == program.NeedOrder && m.step.ContinueOnFailure
	}
	return kind == program.NeedStatus
}

func (s *State) skipFor(i int, m *node) {
	reason, root := record.ReasonUpstreamFailed, m.outcome()
	if m.status() == record.Skipped {
		reason = record.ReasonUpstreamSkipped
		if m.root != "" {
			root = m.root
		}
	}
	s.skip(i, reason, m.outcome(), root)
}

// skip ends a step that has not been started. root is the same for all that are skipped because of it, so a long
// chain has no long message.
func (s *State) skip(i int, reason, message, root string) {
	s.nodes[i].root = root
	s.end(i, record.Skipped, reason, message)
}

// start starts what is ready, or fails it where it can't be.
func (s *State) start(i int) {
	n := &s.nodes[i]
	if n.phase != ready {
		return // it was skipped since
	}
	if n.attempts > 0 {
		if w := n.step.Retry.Within.D(); w > 0 && s.now.After(n.end.StartedAt.Add(w)) {
			s.endAsLast(i, "retry.within is over")
			return
		}
		s.launch(i)
		return
	}
	spec, f := s.prepare(n)
	if f != nil {
		s.end(i, record.Failed, f.reason, f.message)
		return
	}
	n.spec = spec
	if n.step.Cache != nil {
		n.phase = checking
		s.busy++
		s.act(CheckCache{*spec})
		return
	}
	s.launch(i)
}

// launch starts the next attempt.
func (s *State) launch(i int) {
	n := &s.nodes[i]
	n.attempts++
	n.phase = running
	s.busy++
	if n.attempts == 1 {
		n.end.StartedAt = s.now
		s.notify(record.Event{Type: record.StepStarted, Step: n.step.Name, Attempt: 1})
	}
	spec := *n.spec
	spec.Attempt, spec.UserAttempt, spec.OOMs = n.attempts, n.users+1, n.ooms
	s.act(StartAttempt{spec})
}

// halt lets no more steps of a group start, and stops those that run if stop is set.
func (s *State) halt(group int, stop bool, why string) {
	if s.halted[group] == "" {
		s.halted[group] = why
	}
	first, last := 0, s.steps
	if group == 1 {
		first, last = s.steps, len(s.nodes)
	}
	for i := first; i < last; i++ {
		n := &s.nodes[i]
		switch {
		case n.phase == waiting || n.phase == ready && n.attempts > 0:
			s.endAsLast(i, why)
		case n.phase == checking:
			s.busy--
			s.skip(i, record.ReasonStopped, why, why)
		case n.phase == pending || n.phase == ready:
			s.skip(i, record.ReasonStopped, why, why)
		case n.phase == running && stop && n.stopping == "":
			n.stopping = why
			s.act(StopAttempt{Step: n.step.Name, Attempt: n.attempts, Why: why})
		}
	}
}
