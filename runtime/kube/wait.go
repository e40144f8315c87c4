package kube

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/record"
)

// boundWait limits how long a pod waits before its main container starts, in total and for each kind of cause. It uses this
// machine's clock, because the clocks of nodes may differ.
func (a *attempt) boundWait() {
	s := &a.pod.state
	if !a.pod.started.IsZero() || s.Ends() || a.phase != watching {
		a.timers.stop(pendingTimer)
		return
	}
	timeout := a.spec.Def.PendingTimeout.D()
	kind, class, since := podstate.Starting, record.ClassUser, a.pod.began
	if s.Waiting != nil {
		kind, class = s.Waiting.Kind, s.Waiting.Class
		if a.waits[kind].IsZero() {
			a.waits[kind] = now()
			if kind == podstate.Room {
				a.waits[kind] = a.pod.began
			}
		}
		since = a.waits[kind]
	}
	until := a.pod.began.Add(podstate.Starting.Grace(timeout))
	if own := since.Add(kind.Grace(timeout)); own.Before(until) {
		until = own
	}
	a.timers.start(pendingTimer, time.Until(until), func() {
		if a.phase == watching {
			a.giveUp(class, kind.EndReason(), waitedFor(s.Waiting, time.Since(a.pod.began)))
		}
	})
}

func waitedFor(w *podstate.Waiting, waited time.Duration) string {
	text := fmt.Sprintf("its pod did not start in %s", waited.Round(time.Second))
	if w != nil && w.Reason != "" {
		text += ": " + w.Reason
	}
	if w != nil && w.Message != "" {
		text += ": " + w.Message
	}
	return text
}

// watchNode reports a node that is unreachable, and limits the wait for it if the stack says so.
func (a *attempt) watchNode(p *corev1.Pod) {
	s := &a.pod.state
	switch {
	case s.Ends():
		return
	case !s.Silent.IsZero():
		a.nodeLost(s.Silent)
	case !s.Deleted.IsZero() && !a.timers.has(overdueTimer):
		grace := 30 * time.Second
		if p.DeletionGracePeriodSeconds != nil {
			grace = time.Duration(*p.DeletionGracePeriodSeconds) * time.Second
		}
		a.timers.start(overdueTimer, grace+lateBy, func() {
			if !a.pod.gone && !a.pod.state.Ends() {
				a.nodeLost(now())
			}
		})
	default:
		a.pod.lost = time.Time{}
	}
}

func (a *attempt) nodeLost(since time.Time) {
	if !a.pod.lost.IsZero() {
		return
	}
	a.pod.lost = since
	a.d.warn(a.id.Step, fmt.Sprintf("the node %s of its pod %s is unreachable since %s", a.pod.state.Node, a.name, since.UTC().Format(time.RFC3339)))
	wait := a.d.program.Target.OnLostNode.D()
	if wait <= 0 {
		return // wait: it is not known whether the pod still runs
	}
	a.timers.start(lostTimer, wait, func() {
		if a.pod.gone || a.pod.lost.IsZero() || a.pod.state.Ends() {
			return
		}
		a.read(func(r *record.Result) {
			otherwise := a.ending.result
			if r == nil && otherwise == nil {
				otherwise = &record.Result{
					Status: record.Failed, Class: record.ClassInfrastructure, Reason: podstate.ReasonNodeLost,
					Message: fmt.Sprintf("its node %s was unreachable for %s", a.pod.state.Node, wait),
				}
			}
			a.settleAs(r, otherwise)
		})
	})
}
