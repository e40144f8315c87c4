package engine

import (
	"strings"

	"pipec.dev/pipec/schema/expr"
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

// settle performs everything that follows from the event at hand.
func (lc *lifecycle) settle() {
	for {
		switch {
		case len(lc.ended) > 0:
			lc.releaseDependants()
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

// checkFrame halts, continues or ends a pipeline in which something has ended.
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

// releaseDependants releases the dependants of the nodes that have ended since the last call.
func (lc *lifecycle) releaseDependants() {
	ended := lc.ended
	lc.ended = nil
	for _, i := range ended {
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

// released is called once for each event or end that the node waits for.
func (lc *lifecycle) released(i int) {
	if lc.graph.nodes[i].phase == pending {
		lc.graph.nodes[i].blockers--
		lc.decide(i)
	}
}

// decide skips a node that waits for nothing more, or lets it run.
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

// evaluatesWhen reports whether the node evaluates `when`: each instance does if it reads each, otherwise the step does once.
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

func (lc *lifecycle) skipFor(i int, m *node) {
	reason, root := record.ReasonUpstreamFailed, m.outcome()
	lc.graph.nodes[i].end.Because = m.addr
	if m.status() == record.Skipped {
		reason = record.ReasonUpstreamSkipped
		if m.rootCause != "" {
			root = m.rootCause
		}
		if m.end.Because != "" {
			lc.graph.nodes[i].end.Because = m.end.Because
		}
	}
	lc.skip(i, reason, m.outcome(), root)
}

// skip ends a node that has not been started. cause is the same for all nodes that are skipped for the same reason, so that the
// messages of a long chain stay short.
func (lc *lifecycle) skip(i int, reason, message, cause string) {
	lc.graph.nodes[i].rootCause = cause
	lc.end(i, record.Skipped, reason, message)
}
