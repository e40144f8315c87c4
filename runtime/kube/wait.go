package kube

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/record"
)

// watchWait bounds what a pod waits for before its main container starts: all of it, and each kind by itself. The times
// are of this machine: clocks of nodes may be off.
func (d *driver) watchWait(a *attempt) {
	s := &a.state
	if !s.Started.IsZero() || s.Ends() || a.removed {
		if a.pending != nil {
			a.pending.Stop()
			a.pending = nil
		}
		return
	}
	timeout := a.spec.Def.PendingTimeout.D()
	kind, since := podstate.Starting, a.began
	if s.Waiting != nil {
		kind = s.Waiting.Kind
		if a.waits[kind].IsZero() {
			a.waits[kind] = now()
			if kind == podstate.Room {
				a.waits[kind] = a.began
			}
		}
		since = a.waits[kind]
	}
	until := a.began.Add(podstate.Starting.Grace(timeout))
	if own := since.Add(kind.Grace(timeout)); own.Before(until) {
		until = own
	}
	if a.pending != nil {
		a.pending.Stop()
	}
	a.pending = d.after(time.Until(until), func() {
		if a.over || !a.state.Started.IsZero() || a.state.Ends() || time.Until(until) > 0 {
			return
		}
		d.giveUp(a, record.ClassUser, kind.EndReason(), waitedFor(s.Waiting, time.Since(a.began)))
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

// watchNode tells of a node that isn't heard of, and, where the stack says so, waits for it no longer than that.
func (d *driver) watchNode(a *attempt, p *corev1.Pod) {
	s := &a.state
	switch {
	case s.Ends():
		return
	case !s.Silent.IsZero():
		d.nodeSilent(a, s.Silent)
	case !s.Deleted.IsZero() && !a.late:
		a.late = true
		grace := 30 * time.Second
		if p.DeletionGracePeriodSeconds != nil {
			grace = time.Duration(*p.DeletionGracePeriodSeconds) * time.Second
		}
		d.after(grace+lateBy, func() {
			if !a.over && !a.gone && !a.state.Ends() {
				d.nodeSilent(a, now())
			}
		})
	default:
		a.silent = false
	}
}

func (d *driver) nodeSilent(a *attempt, since time.Time) {
	if a.silent {
		return
	}
	a.silent = true
	d.warn(a.id.step, fmt.Sprintf("the node %s of its pod %s is unreachable since %s", a.state.Node, a.name, since.UTC().Format(time.RFC3339)))
	wait := d.program.Target.OnLostNode.D()
	if wait <= 0 {
		return // it is waited for: what runs there can't be told
	}
	d.after(wait, func() {
		if a.over || a.gone || !a.silent || a.state.Ends() {
			return
		}
		d.readThen(a, func(r *record.Result) {
			if r == nil && a.result == nil {
				a.result = &record.Result{
					Status: record.Failed, Class: record.ClassInfrastructure, Reason: podstate.ReasonNodeLost,
					Message: fmt.Sprintf("its node %s was unreachable for %s", a.state.Node, wait),
				}
			}
			d.settle(a, r)
		})
	})
}
