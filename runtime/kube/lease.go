package kube

import (
	"context"
	"errors"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	leaseRenew  = 10 * time.Second
	leaseExpiry = 30 * time.Second // without a change, by this machine's clock
	leaseLook   = 2 * time.Second  // how often one that is another's is looked at
)

// lease keeps two coordinators of a run from working against each other for long. It is not a lock: their actions are safe
// without it, by the names of pods and by the run's log.
type lease struct {
	d     *driver
	held  *coordinationv1.Lease
	fence *fence
	lost  chan struct{} // closed when another has taken it
	stop  context.CancelFunc
	done  chan struct{} // closed when renew has ended
}

func newLease(d *driver) *lease {
	l := &lease{d: d, lost: make(chan struct{}), done: make(chan struct{})}
	l.fence = newFence(l.lost)
	d.fence = l.fence
	return l
}

// holder is who this coordinator is: the same when its container was started again in its pod.
func (l *lease) holder() string { return l.d.o.Pod + "/" + l.d.o.PodUID }

// acquire waits until the lease is free, or has not been renewed for long.
func (l *lease) acquire(ctx context.Context) error {
	seen, since := "", time.Now()
	for {
		var found *coordinationv1.Lease
		err := l.d.requests.Retry(ctx, "hold the Lease "+l.d.o.Job, func(ctx context.Context) (err error) {
			found, err = l.take(ctx, seen != "" && time.Since(since) >= leaseExpiry)
			return err
		})
		switch {
		case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err): // it has changed meanwhile
		case err != nil:
			return err
		case found == nil:
			return nil
		case found.ResourceVersion != seen:
			seen, since = found.ResourceVersion, time.Now()
		}
		t := time.NewTimer(leaseLook)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// take tries once. It gives the lease as another holds it.
func (l *lease) take(ctx context.Context, expired bool) (*coordinationv1.Lease, error) {
	found, err := l.d.client.GetLease(ctx, l.d.o.Job)
	if apierrors.IsNotFound(err) {
		return nil, l.create(ctx)
	}
	if err != nil {
		return nil, err
	}
	if by := holderOf(found); by != "" && by != l.holder() && !expired && !l.dead(ctx, by) {
		return found, nil
	}
	return nil, l.update(ctx, found)
}

// create creates a Lease that this coordinator holds.
func (l *lease) create(ctx context.Context) error {
	no, sent := false, time.Now()
	fresh := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
		Name: l.d.o.Job, Namespace: l.d.o.Namespace,
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: l.d.o.Job, UID: types.UID(l.d.o.JobUID), Controller: &no}},
	}}
	l.sign(fresh, l.holder())
	held, err := l.d.client.CreateLease(ctx, fresh)
	if err == nil {
		l.held = held
		l.fence.renew(sent)
	}
	return err
}

// update writes that this coordinator holds a Lease as it was read.
func (l *lease) update(ctx context.Context, read *coordinationv1.Lease) error {
	sent := time.Now()
	l.sign(read, l.holder())
	held, err := l.d.client.UpdateLease(ctx, read)
	if err == nil {
		l.held = held
		l.fence.renew(sent)
	}
	return err
}

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// dead reports whether the containers of a holder's pod are known to have ended. A pod that doesn't exist any more proves
// nothing: it may have been deleted by force while its node was out of reach.
func (l *lease) dead(ctx context.Context, holder string) bool {
	name, uid, _ := strings.Cut(holder, "/")
	pod, err := l.d.client.GetPod(ctx, name)
	if err != nil || string(pod.UID) != uid || pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
		return false
	}
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].State.Terminated == nil {
			return false
		}
	}
	return len(pod.Status.ContainerStatuses) > 0
}

func (l *lease) sign(lease *coordinationv1.Lease, holder string) {
	at, seconds := metav1.NewMicroTime(time.Now()), int32(leaseExpiry/time.Second)
	lease.Spec.HolderIdentity, lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &holder, &at, &seconds
}

// keep renews the lease from now on, until release.
func (l *lease) keep(ctx context.Context) {
	ctx, l.stop = context.WithCancel(ctx)
	go l.renew(ctx)
}

// renew renews the lease until ctx ends or another coordinator has taken it. What can't be renewed is tried again soon: if it
// takes long, the fence keeps this coordinator from acting.
func (l *lease) renew(ctx context.Context) {
	defer close(l.done)
	wait, wanted := leaseRenew, l.fence.wanted
	for {
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-wanted:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
		wait, wanted = leaseRenew, l.fence.wanted
		if err := l.renewOnce(ctx); errors.Is(err, ErrTakenOver) {
			close(l.lost)
			return
		} else if err != nil {
			l.fence.fail(err)
			wait, wanted = leaseLook, nil
		}
	}
}

// renewOnce renews the lease, or looks who holds it if it has changed. The error is ErrTakenOver if another coordinator does.
func (l *lease) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew)
	defer cancel()
	err := l.update(ctx, l.held)
	if apierrors.IsNotFound(err) { // somebody has deleted it
		err = l.create(ctx)
	}
	if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
		return err
	}
	found, err := l.d.client.GetLease(ctx, l.d.o.Job)
	if err != nil {
		return err
	}
	if holderOf(found) != l.holder() {
		return ErrTakenOver
	}
	return l.update(ctx, found) // it was renewed, but the answer was lost
}

// release gives the lease back, so that the next coordinator need not wait.
func (l *lease) release() {
	l.stop()
	<-l.done
	select {
	case <-l.lost:
		return
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l.sign(l.held, "")
	_, _ = l.d.client.UpdateLease(ctx, l.held)
}
