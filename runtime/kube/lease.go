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
	leaseExpiry = 30 * time.Second // how long a lease is valid without a change, by this machine's clock
	leaseLook   = 2 * time.Second  // how often a lease that another coordinator holds is read
)

// lease prevents that two coordinators work on the same run for long. It is not a lock: the names of pods and the run's log
// make the actions of coordinators safe without it.
type lease struct {
	d     *driver
	held  *coordinationv1.Lease
	none  time.Time // when this coordinator has last found no Lease while it acquired one; zero: there was one
	fence *fence
	lost  chan struct{} // closed when another coordinator has taken the lease
	stop  context.CancelFunc
	done  chan struct{} // closed when renew has ended
}

func newLease(d *driver) *lease {
	l := &lease{d: d, lost: make(chan struct{}), done: make(chan struct{})}
	l.fence = newFence(l.lost)
	d.fence = l.fence
	return l
}

// holder returns the identity of this coordinator. It does not change when its container is restarted in the pod.
func (l *lease) holder() string { return l.d.o.Pod + "/" + l.d.o.PodUID }

// acquire waits until the lease is free or has expired, and takes it.
func (l *lease) acquire(ctx context.Context) error {
	seen, since := "", time.Now()
	for {
		var found *coordinationv1.Lease
		err := l.d.requests.Retry(ctx, "hold the Lease "+l.d.o.Job, func(ctx context.Context) (err error) {
			found, err = l.take(ctx, func(version string) bool { return version == seen && time.Since(since) >= leaseExpiry })
			return err
		})
		switch {
		case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err): // the lease was changed concurrently
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

// take tries once to take the lease. It returns the lease if another coordinator holds it. expired reports whether the lease in
// a version has expired.
func (l *lease) take(ctx context.Context, expired func(version string) bool) (*coordinationv1.Lease, error) {
	found, err := l.d.client.GetLease(ctx, l.d.o.Job)
	if apierrors.IsNotFound(err) {
		l.none = time.Now()
		return nil, l.create(ctx)
	}
	if err != nil {
		return nil, err
	}
	if by := holderOf(found); by != "" && by != l.holder() && !expired(found.ResourceVersion) && !l.dead(ctx, by) {
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

// outlast waits until a predecessor whose Lease somebody has deleted can't act any more: it has last renewed the Lease before
// this coordinator found none. It is called after keep.
func (l *lease) outlast(ctx context.Context) error {
	if l.none.IsZero() {
		return nil
	}
	t := time.NewTimer(time.Until(l.none.Add(leaseExpiry)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-l.lost:
		return ErrTakenOver
	case <-ctx.Done():
		return ctx.Err()
	}
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

// keep renews the lease in the background until release.
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
	if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return err
	}
	found, err := l.d.client.GetLease(ctx, l.d.o.Job)
	if apierrors.IsNotFound(err) { // somebody has deleted it: the server answers the update of a deleted Lease with a conflict
		if closed, _ := l.fence.closed(); closed {
			return ErrTakenOver // perhaps: another coordinator may have taken it before, so this one must read the records again
		}
		return l.create(ctx)
	}
	if err != nil {
		return err
	}
	if holderOf(found) != l.holder() {
		return ErrTakenOver
	}
	return l.update(ctx, found) // it was renewed, but the answer was lost
}

// release releases the lease, so that the next coordinator does not have to wait.
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
