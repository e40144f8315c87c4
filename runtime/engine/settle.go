package engine

import (
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// settle goes on until nothing more follows from what has happened.
func (s *State) settle() {
	for {
		switch {
		case len(s.ended) > 0:
			s.tellDependants()
		case !s.started || s.over:
			return
		case len(s.frameChecks) > 0:
			k := s.frameChecks[0]
			if s.frameChecks = s.frameChecks[1:]; len(s.frameChecks) == 0 {
				s.frameChecks = nil
			}
			s.checkFrame(k)
		case s.queuesChanged:
			s.serveQueues()
		case len(s.ready) > 0 && s.room():
			s.start(s.ready.pop().node)
		default:
			return
		}
	}
}

// checkFrame does what follows for a pipeline from what has ended in it.
func (s *State) checkFrame(k int) {
	sc := &s.frames[k]
	switch {
	case sc.over:
	case (sc.onFailure == "stop" || sc.onFailure == "abort") && len(sc.failed[0]) > 0 && sc.halted[0] == "":
		why := s.nodes[sc.failed[0][0]].outcome() + ", and on_failure is " + sc.onFailure
		s.halt(k, 0, sc.onFailure == "abort", why)
		s.frameChecks = append(s.frameChecks, k)
	case sc.left[0] == 0 && !sc.finallyOpen:
		sc.finallyOpen = true
		for _, i := range sc.nodes[1] {
			s.released(i)
		}
		s.frameChecks = append(s.frameChecks, k)
	case sc.left[0]+sc.left[1] > 0:
	case sc.call >= 0:
		sc.over = true
		s.callEnded(sc)
	default:
		sc.over = true
		s.finish()
	}
}

// tellDependants tells them of all that has ended since the last time.
func (s *State) tellDependants() {
	told := s.ended
	s.ended = nil
	for _, i := range told {
		dependants, wanting := s.nodes[i].dependants, s.nodes[i].instanceWaiters
		s.nodes[i].instanceWaiters = nil
		for _, d := range dependants {
			s.released(d)
		}
		for _, w := range wanting {
			s.released(w.node)
		}
	}
}

// released is told once for each thing that the node waits for.
func (s *State) released(i int) {
	if s.nodes[i].phase == pending {
		s.nodes[i].blockers--
		s.decide(i)
	}
}

// decide lets a node that waits for nothing more be run, or skips it.
func (s *State) decide(i int) {
	n := &s.nodes[i]
	if n.phase != pending || n.blockers > 0 || !s.started {
		return
	}
	if why := s.frames[n.frame].halted[n.section]; why != "" {
		s.skip(i, record.ReasonStopped, why, why)
		return
	}
	if m := s.obstacle(n); m != nil {
		s.skipFor(i, m)
		return
	}
	run, f := true, (*fault)(nil)
	if n.evaluatesWhen() {
		run, f = s.condition(n)
	}
	switch {
	case f != nil && f.skip:
		s.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
	case f != nil:
		s.end(i, record.Failed, f.reason, f.message)
	case !run:
		s.skip(i, record.ReasonConditionFalse, conditionFalse, "the condition of "+n.addr+" is false")
	case n.kind == fan:
		s.expand(i)
	case n.kind == approval:
		s.ask(i)
	default:
		s.makeReady(i)
	}
}

// evaluatesWhen says whether it is this node of which `when` is asked: of each instance where it mentions each, else once.
func (n *node) evaluatesWhen() bool {
	if n.step.When == nil {
		return false
	}
	each := false
	for _, ref := range n.step.When.Refs() {
		each = each || strings.HasPrefix(ref, "each.") || strings.Contains(ref, "["+expr.EachKey+"]")
	}
	if n.isStep() {
		return n.kind != fan || !each
	}
	_, round := record.Address(n.addr).Round()
	return each && !round
}

// obstacle is the step because of which n can't run: one that failed rather than one that was skipped; or nil.
func (s *State) obstacle(n *node) *node {
	var found *node
	for _, need := range n.step.Needs {
		if n.isStep() == (need.Instance == expr.EachKey) || !n.isStep() && n.carried != nil {
			continue
		}
		m := s.needed(n, need)
		if m != nil && !met(need.Kind, m) && (found == nil || found.status() == record.Skipped && m.status() != record.Skipped) {
			found = m
		}
	}
	return found
}

// needed is the node that a need is of; nil where there is no such instance, which reading it will tell.
func (s *State) needed(n *node, need program.Need) *node {
	m := &s.nodes[s.frames[n.frame].byName[need.Step]]
	if need.Instance == "" || m.byKey == nil {
		return m
	}
	key := record.Key(need.Instance).Text()
	if need.Instance == expr.EachKey {
		key = expr.Key(n.key)
	}
	child, ok := m.byKey[key]
	if !ok {
		return nil
	}
	return &s.nodes[child]
}

// met says whether the end of m is good enough.
func met(kind program.NeedKind, m *node) bool {
	if m.kind == fan && len(m.children) > 0 && m.step.ContinueOnFailure && m.status() != record.Cancelled {
		return true // those that succeeded are left
	}
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
		if m.rootCause != "" {
			root = m.rootCause
		}
	}
	s.skip(i, reason, m.outcome(), root)
}

// skip ends a step that has not been started. root is the same for all that are skipped because of it, so a long
// chain has no long message.
func (s *State) skip(i int, reason, message, root string) {
	s.nodes[i].rootCause = root
	s.end(i, record.Skipped, reason, message)
}

// start starts what is ready, or fails it where it can't be.
func (s *State) start(i int) {
	n := &s.nodes[i]
	if n.phase != ready { // it was skipped since: another may have its place
		s.wake(i)
		return
	}
	if n.needsSlot() && (n.step.Cache == nil || n.spec != nil) { // what is in the cache needs none
		s.enqueue(i)
		s.wake(i)
		return
	}
	if !s.acquire(i) {
		return
	}
	s.requestDone(i)
	if n.attempts > 0 {
		if w := n.step.Retry.Within.D(); w > 0 && s.now.After(n.end.StartedAt.Add(w)) {
			s.endAsLastAttempt(i, "retry.within is over") // and leaves its group
			s.release(i)
			return
		}
		s.launch(i)
		return
	}
	switch n.kind {
	case call:
		s.openCall(i)
		return
	case loop:
		s.openLoop(i)
		return
	}
	spec, f := n.spec, (*fault)(nil)
	if spec == nil { // else the cache was asked with it
		spec, f = s.prepare(n)
	}
	if f != nil {
		if f.skip {
			s.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
		} else {
			s.end(i, record.Failed, f.reason, f.message)
		}
		s.release(i)
		return
	}
	n.spec = spec
	if n.step.Cache != nil && !n.hasSlot {
		n.phase = checking
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
	if n.attempts == 1 {
		n.end.StartedAt = s.now
		s.notify(record.Event{Type: record.StepStarted, Step: n.addr, Attempt: 1})
	}
	spec := *n.spec
	spec.Attempt, spec.UserAttempt, spec.OOMs, spec.Holds = n.attempts, n.userFailures+1, n.ooms, s.holds(n)
	s.act(StartAttempt{spec})
}

// halt lets no more steps of a group of a scope start, and stops those that run if stop is set.
func (s *State) halt(k, group int, stop bool, why string) {
	if s.frames[k].halted[group] == "" {
		s.frames[k].halted[group] = why
	}
	for _, i := range s.frames[k].nodes[group] {
		s.haltNode(i, stop, why)
	}
}

func (s *State) haltNode(i int, stop bool, why string) {
	n := &s.nodes[i]
	switch {
	case n.phase == waiting || (n.phase == ready || n.phase == queued) && n.attempts > 0:
		s.endAsLastAttempt(i, why)
	case n.phase == checking:
		s.skip(i, record.ReasonStopped, why, why)
		s.release(i)
	case n.phase == pending || n.phase == ready || n.phase == queued:
		s.skip(i, record.ReasonStopped, why, why)
	case n.phase == unanswered:
		n.stopping = why
		s.end(i, record.Cancelled, record.ReasonCancelled, why)
	case n.phase == running && stop && n.stopping == "":
		n.stopping = why
		s.act(StopAttempt{Step: n.addr, Attempt: n.attempts, Why: why})
	case n.phase == expanded:
		if stop && n.stopping == "" {
			n.stopping = why
		}
		for _, c := range n.children {
			s.haltNode(c, stop, why)
		}
		if inner := s.nodes[i].inner; inner >= 0 && !s.frames[inner].over { // its finally runs, as the run's does
			s.halt(inner, 0, stop, why)
			s.frameChecks = append(s.frameChecks, inner)
		}
	}
}
