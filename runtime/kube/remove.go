package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/record"
)

// remove deletes the pod of an attempt that is to end, once. The watch reports the end of the pod.
func (a *attempt) remove() {
	if a.phase == ended || a.pod.gone || a.timers.has(graceTimer) {
		return
	}
	switch a.phase {
	case searching, reading:
		a.move(concluding)
	case creating, watching, explaining:
		a.move(removing)
	}
	a.timers.start(graceTimer, a.grace()+lateBy, a.giveUpNode)
	a.d.swept.delete(a.name, a.pod.uid)
}

// grace returns how long the pod may take to end.
func (a *attempt) grace() time.Duration {
	if a.manifest != nil && a.manifest.Spec.TerminationGracePeriodSeconds != nil {
		return time.Duration(*a.manifest.Spec.TerminationGracePeriodSeconds) * time.Second
	}
	return 30 * time.Second
}

// giveUpNode ends an attempt whose pod was deleted and has not ended: its node must be unreachable. No other attempt follows
// that could run at the same time as the pod.
func (a *attempt) giveUpNode() {
	if a.ending.result == nil {
		a.ending.result = &record.Result{
			Status: record.Cancelled, Reason: record.ReasonCancelled,
			Message: a.ending.cause + "; its pod " + a.name + " was deleted and has not ended: its node is unreachable",
		}
	}
	a.settle(nil)
}

// sweeper deletes the pods of attempts that are to end, and pods that are no longer needed. It is owned by the loop.
type sweeper struct {
	d       *driver
	waiting []endedPod // to be deleted, in the order of their ends
	timer   *time.Timer
}

// endedPod is a pod whose attempt has ended.
type endedPod struct {
	name string
	uid  types.UID
	at   time.Time // when it may be deleted
}

// delete deletes a pod after all events so far were written to the run's log.
func (s *sweeper) delete(name string, uid types.UID) {
	d := s.d
	d.async(func(ctx context.Context) func() {
		// The pod is deleted even if the log can't be written, because no coordinator could resume such a run.
		_ = d.run.Flush()
		err := d.requests.Retry(ctx, "delete the pod "+name, func(ctx context.Context) error {
			defer d.requests.Enter()()
			return d.client.DeletePod(ctx, name, uid)
		})
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			return func() { d.attempts.vanished(name, uid) }
		}
		return func() { d.warn("", "the pod "+name+" can't be deleted: "+err.Error()) }
	})
}

// leave handles the pod of an attempt that has ended. The pod is deleted immediately if a container in it continues to run, and
// later if the run has many steps. Otherwise it exists as long as the run's Job.
func (s *sweeper) leave(a *attempt) {
	switch {
	case a.pod.uid == "" || a.pod.gone || a.ending.set(): // there is no pod, or its deletion was requested
	case a.pod.state.OthersRun || !a.pod.lost.IsZero():
		s.delete(a.name, a.pod.uid)
	default:
		s.waiting = append(s.waiting, endedPod{a.name, a.pod.uid, time.Now().Add(keepPods)})
		if s.d.run.Len() >= bigRun { // the number of steps may still grow
			s.sweep()
		}
	}
}

// sweep deletes the pods that are due.
func (s *sweeper) sweep() {
	for len(s.waiting) > 0 && time.Until(s.waiting[0].at) <= 0 {
		s.delete(s.waiting[0].name, s.waiting[0].uid)
		s.waiting = s.waiting[1:]
	}
	if len(s.waiting) > 0 && s.timer == nil {
		s.timer = s.d.after(time.Until(s.waiting[0].at), func() {
			s.timer = nil
			s.sweep()
		})
	}
}
