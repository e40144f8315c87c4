package engine

import (
	"pipec.dev/pipec/schema/record"
)

// start starts a ready node, or ends it if it cannot be started.
func (lc *lifecycle) start(i int) {
	n := &lc.graph.nodes[i]
	if n.phase != ready { // it was halted, so another node may use the room
		lc.sched.wake(i)
		return
	}
	if n.needsSlot() && (n.step.Cache == nil || n.spec != nil) { // a cached result needs no slot
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
		if n.kind == process {
			lc.launch(i)
			return
		}
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
	if spec == nil { // otherwise the cache was queried with it
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
		lc.out.notify(record.Event{Type: record.StepStarted, Step: n.addr, Attempt: n.number(), Again: n.again})
	}
	spec := *n.spec
	spec.Attempt, spec.UserAttempt, spec.OOMs, spec.Slots = n.number(), n.userBefore+n.userFailures+1, n.ooms, lc.groups.slots(n)
	spec.Avoid = n.avoid
	lc.out.act(StartAttempt{spec})
}

// halt prevents further starts in a section of a frame, and stops running attempts if stop is set.
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
		lc.out.act(StopAttempt{Step: n.addr, Attempt: n.number(), Why: why})
	case n.phase == expanded:
		if stop && n.stopping == "" {
			n.stopping = why
		}
		for _, c := range n.children {
			lc.haltNode(c, stop, why)
		}
		if inner := lc.graph.nodes[i].inner; inner >= 0 && !lc.graph.frames[inner].over { // the finally steps of a called pipeline run, as those of the run do
			lc.halt(inner, 0, stop, why)
			lc.frameChecks = append(lc.frameChecks, inner)
		}
	}
}
