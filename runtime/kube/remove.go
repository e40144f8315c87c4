package kube

import (
	"time"

	"pipec.dev/pipec/schema/record"
)

// remove deletes the pod of an attempt that is to end, once. The watch reports the end of the pod.
func (a *attempt) remove() {
	if a.phase == ended || a.pod.gone || a.deleting {
		return
	}
	a.deleting = true
	switch a.phase {
	case reading:
		a.move(concluding)
	case searching, creating, watching, explaining, revoking:
		a.move(removing)
	}
	a.d.swept.delete(a.name, a.pod.uid, now(), func() {
		if a.phase != ended && !a.pod.gone {
			a.timers.start(graceTimer, a.grace()+lateBy, a.giveUpNode)
		}
	})
}

// defaultGrace is the grace of a pod that sets none.
const defaultGrace = 30 * time.Second

// grace returns how long the pod may take to end.
func (a *attempt) grace() time.Duration {
	if b := a.built.Load(); b != nil {
		return b.grace
	}
	return defaultGrace
}

// giveUpNode ends an attempt whose pod was deleted and has not ended: its node must be out of reach. No later attempt
// follows that could run beside the pod. What the pod has committed counts.
func (a *attempt) giveUpNode() {
	if a.ending.result == nil {
		a.ending.result = &record.Result{
			Status: record.Cancelled, Reason: record.ReasonCancelled,
			Message: a.ending.cause + "; its pod " + a.name + " was deleted and has not ended: its node is unreachable",
		}
	}
	a.read(a.settle)
}
