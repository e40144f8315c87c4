package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/record"
)

// remove deletes the pod of an attempt that is to end, when the run's log says why. Its end is told by the watch.
func (d *driver) remove(a *attempt) {
	if a.removed || a.gone || a.over {
		return
	}
	a.removed = true
	d.delete(a.name, a.uid)
	d.after(d.grace(a)+lateBy, func() { d.giveUpNode(a) })
}

// grace is how long the pod may take to end.
func (d *driver) grace(a *attempt) time.Duration {
	if a.pod != nil && a.pod.Spec.TerminationGracePeriodSeconds != nil {
		return time.Duration(*a.pod.Spec.TerminationGracePeriodSeconds) * time.Second
	}
	return 30 * time.Second
}

// giveUpNode ends an attempt whose pod was deleted and doesn't go: its node must be out of reach. Nothing follows it that
// could come too close.
func (d *driver) giveUpNode(a *attempt) {
	if a.over {
		return
	}
	if a.result == nil {
		a.result = &record.Result{
			Status: record.Cancelled, Reason: record.ReasonCancelled,
			Message: a.cause + "; its pod " + a.name + " was deleted and has not ended: its node is out of reach",
		}
	}
	d.settle(a, nil)
}

// delete deletes a pod, when all that has happened so far is in the run's log.
func (d *driver) delete(name string, uid types.UID) {
	d.async(func(ctx context.Context) func() {
		// A log that can't be written doesn't keep a pod alive: nobody would go on with such a run.
		_ = d.journal.Flush()
		err := d.retry(ctx, "delete the pod "+name, func(ctx context.Context) error {
			d.api <- struct{}{}
			defer func() { <-d.api }()
			return d.client.DeletePod(ctx, name, uid)
		})
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			return func() { d.gone(name, uid) }
		}
		return func() { d.warn("", "the pod "+name+" can't be deleted: "+err.Error()) }
	})
}

// ended is a pod whose attempt has ended.
type ended struct {
	name string
	uid  types.UID
	at   time.Time // when it may go
}

// leavePod sees to the pod of an attempt that has ended: it goes where something in it would run on, and, in a run of
// many, when nobody needs it any more. Else it stays as long as the run's Job.
func (d *driver) leavePod(a *attempt) {
	switch {
	case a.uid == "" || a.gone || a.removed:
	case a.state.OthersRun || a.silent:
		d.delete(a.name, a.uid)
	default:
		d.swept = append(d.swept, ended{a.name, a.uid, time.Now().Add(keepPods)})
		if d.state.Len() >= bigRun { // it may grow into one
			d.sweep()
		}
	}
}

// sweep deletes pods when their time has come.
func (d *driver) sweep() {
	for len(d.swept) > 0 && time.Until(d.swept[0].at) <= 0 {
		d.delete(d.swept[0].name, d.swept[0].uid)
		d.swept = d.swept[1:]
	}
	if len(d.swept) > 0 && !d.sweeping {
		d.sweeping = true
		d.after(time.Until(d.swept[0].at), func() {
			d.sweeping = false
			d.sweep()
		})
	}
}
