package engine

import (
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// lifecycle moves nodes from phase to phase, and ends them, frames and the run.
type lifecycle struct {
	rooms
	expansion *expansion
	approvals *approvals

	ended       []int // nodes whose dependants have not been released yet
	frameChecks []int // frames in which something has ended
	started     bool  // RunStarted was seen
	over        bool  // End was given
}

// settle goes on until nothing more follows from what has happened.
func (lc *lifecycle) settle() {
	for {
		switch {
		case len(lc.ended) > 0:
			lc.tellDependants()
		case !lc.started || lc.over:
			return
		case len(lc.frameChecks) > 0:
			k := lc.frameChecks[0]
			if lc.frameChecks = lc.frameChecks[1:]; len(lc.frameChecks) == 0 {
				lc.frameChecks = nil
			}
			lc.checkFrame(k)
		case lc.groups.changed || lc.sched.freed:
			lc.groups.serveQueues()
		case len(lc.sched.ready) > 0 && lc.sched.room():
			lc.start(lc.sched.ready.pop().node)
		default:
			return
		}
	}
}

// checkFrame does what follows for a pipeline from what has ended in it.
func (lc *lifecycle) checkFrame(k int) {
	sc := &lc.graph.frames[k]
	switch {
	case sc.over:
	case (sc.onFailure == "stop" || sc.onFailure == "abort") && len(sc.failed[0]) > 0 && sc.halted[0] == "":
		why := lc.graph.nodes[sc.failed[0][0]].outcome() + ", and on_failure is " + sc.onFailure
		lc.halt(k, 0, sc.onFailure == "abort", why)
		lc.frameChecks = append(lc.frameChecks, k)
	case sc.left[0] == 0 && !sc.finallyOpen:
		sc.finallyOpen = true
		for _, i := range sc.nodes[1] {
			lc.released(i)
		}
		lc.frameChecks = append(lc.frameChecks, k)
	case sc.left[0]+sc.left[1] > 0:
	case sc.call >= 0:
		sc.over = true
		lc.expansion.callEnded(sc)
	default:
		sc.over = true
		lc.finish()
	}
}

// tellDependants tells them of all that has ended since the last time.
func (lc *lifecycle) tellDependants() {
	told := lc.ended
	lc.ended = nil
	for _, i := range told {
		dependants, wanting := lc.graph.nodes[i].dependants, lc.graph.nodes[i].instanceWaiters
		lc.graph.nodes[i].instanceWaiters = nil
		for _, d := range dependants {
			lc.released(d)
		}
		for _, w := range wanting {
			lc.released(w.node)
		}
	}
}

// released is told once for each thing that the node waits for.
func (lc *lifecycle) released(i int) {
	if lc.graph.nodes[i].phase == pending {
		lc.graph.nodes[i].blockers--
		lc.decide(i)
	}
}

// decide lets a node that waits for nothing more be run, or skips it.
func (lc *lifecycle) decide(i int) {
	n := &lc.graph.nodes[i]
	if n.phase != pending || n.blockers > 0 || !lc.started {
		return
	}
	if why := lc.graph.frames[n.frame].halted[n.section]; why != "" {
		lc.skip(i, record.ReasonStopped, why, why)
		return
	}
	if m := lc.graph.obstacle(n); m != nil {
		lc.skipFor(i, m)
		return
	}
	run, f := true, (*fault)(nil)
	if n.evaluatesWhen() {
		run, f = lc.eval.condition(n)
	}
	switch {
	case f != nil && f.skip:
		lc.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
	case f != nil:
		lc.end(i, record.Failed, f.reason, f.message)
	case !run:
		lc.skip(i, record.ReasonConditionFalse, conditionFalse, "the condition of "+n.addr+" is false")
	case n.kind == fan:
		lc.expansion.expand(i)
	case n.kind == approval:
		lc.approvals.ask(i)
	default:
		lc.sched.makeReady(i)
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
func (g *graph) obstacle(n *node) *node {
	var found *node
	for _, need := range n.step.Needs {
		if n.isStep() == (need.Instance == expr.EachKey) || !n.isStep() && n.carried != nil {
			continue
		}
		m := g.needed(n, need)
		if m != nil && !met(need.Kind, m) && (found == nil || found.status() == record.Skipped && m.status() != record.Skipped) {
			found = m
		}
	}
	return found
}

// needed is the node that a need is of; nil where there is no such instance, which reading it will tell.
func (g *graph) needed(n *node, need program.Need) *node {
	m := &g.nodes[g.frames[n.frame].byName[need.Step]]
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
	return &g.nodes[child]
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

func (lc *lifecycle) skipFor(i int, m *node) {
	reason, root := record.ReasonUpstreamFailed, m.outcome()
	if m.status() == record.Skipped {
		reason = record.ReasonUpstreamSkipped
		if m.rootCause != "" {
			root = m.rootCause
		}
	}
	lc.skip(i, reason, m.outcome(), root)
}

// skip ends a step that has not been started. root is the same for all that are skipped because of it, so a long
// chain has no long message.
func (lc *lifecycle) skip(i int, reason, message, root string) {
	lc.graph.nodes[i].rootCause = root
	lc.end(i, record.Skipped, reason, message)
}

// start starts what is ready, or fails it where it can't be.
func (lc *lifecycle) start(i int) {
	n := &lc.graph.nodes[i]
	if n.phase != ready { // it was skipped since: another may have its place
		lc.sched.wake(i)
		return
	}
	if n.needsSlot() && (n.step.Cache == nil || n.spec != nil) { // what is in the cache needs none
		lc.groups.enqueue(i)
		lc.sched.wake(i)
		return
	}
	if !lc.sched.acquire(i) {
		return
	}
	lc.groups.requestDone(i)
	if n.attempts > 0 {
		if w := n.step.Retry.Within.D(); w > 0 && lc.out.now.After(n.end.StartedAt.Add(w)) {
			lc.endAsLastAttempt(i, "retry.within is over") // and leaves its group
			lc.sched.release(i)
			return
		}
		lc.launch(i)
		return
	}
	switch n.kind {
	case call:
		lc.expansion.openCall(i)
		return
	case loop:
		lc.expansion.openLoop(i)
		return
	}
	spec, f := n.spec, (*fault)(nil)
	if spec == nil { // else the cache was asked with it
		spec, f = lc.eval.prepare(n)
	}
	if f != nil {
		if f.skip {
			lc.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
		} else {
			lc.end(i, record.Failed, f.reason, f.message)
		}
		lc.sched.release(i)
		return
	}
	n.spec = spec
	if n.step.Cache != nil && !n.hasSlot {
		lc.graph.move(n, checking)
		lc.out.act(CheckCache{*spec})
		return
	}
	lc.launch(i)
}

// launch starts the next attempt.
func (lc *lifecycle) launch(i int) {
	n := &lc.graph.nodes[i]
	n.attempts++
	lc.graph.move(n, running)
	if n.attempts == 1 {
		n.end.StartedAt = lc.out.now
		lc.out.notify(record.Event{Type: record.StepStarted, Step: n.addr, Attempt: 1})
	}
	spec := *n.spec
	spec.Attempt, spec.UserAttempt, spec.OOMs, spec.Holds = n.attempts, n.userFailures+1, n.ooms, lc.groups.holds(n)
	lc.out.act(StartAttempt{spec})
}

// halt lets no more steps of a group of a scope start, and stops those that run if stop is set.
func (lc *lifecycle) halt(k, group int, stop bool, why string) {
	if lc.graph.frames[k].halted[group] == "" {
		lc.graph.frames[k].halted[group] = why
	}
	for _, i := range lc.graph.frames[k].nodes[group] {
		lc.haltNode(i, stop, why)
	}
}

func (lc *lifecycle) haltNode(i int, stop bool, why string) {
	n := &lc.graph.nodes[i]
	switch {
	case n.phase == waiting || (n.phase == ready || n.phase == queued) && n.attempts > 0:
		lc.endAsLastAttempt(i, why)
	case n.phase == checking:
		lc.skip(i, record.ReasonStopped, why, why)
		lc.sched.release(i)
	case n.phase == pending || n.phase == ready || n.phase == queued:
		lc.skip(i, record.ReasonStopped, why, why)
	case n.phase == unanswered:
		n.stopping = why
		lc.end(i, record.Cancelled, record.ReasonCancelled, why)
	case n.phase == running && stop && n.stopping == "":
		n.stopping = why
		lc.out.act(StopAttempt{Step: n.addr, Attempt: n.attempts, Why: why})
	case n.phase == expanded:
		if stop && n.stopping == "" {
			n.stopping = why
		}
		for _, c := range n.children {
			lc.haltNode(c, stop, why)
		}
		if inner := lc.graph.nodes[i].inner; inner >= 0 && !lc.graph.frames[inner].over { // its finally runs, as the run's does
			lc.halt(inner, 0, stop, why)
			lc.frameChecks = append(lc.frameChecks, inner)
		}
	}
}
