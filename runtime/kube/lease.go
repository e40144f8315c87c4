package kube

import (
	"context"
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
	d    *driver
	held *coordinationv1.Lease
	lost chan struct{} // closed when another has taken it
	stop context.CancelFunc
	done chan struct{} // closed when renew has ended
}

func newLease(d *driver) *lease {
	return &lease{d: d, lost: make(chan struct{}), done: make(chan struct{})}
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
		case l.held != nil:
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
	c := l.d.client
	found, err := c.GetLease(ctx, l.d.o.Job)
	if apierrors.IsNotFound(err) {
		no := false
		fresh := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Name: l.d.o.Job, Namespace: l.d.o.Namespace,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: l.d.o.Job, UID: types.UID(l.d.o.JobUID), Controller: &no}},
		}}
		l.sign(fresh, l.holder())
		l.held, err = c.CreateLease(ctx, fresh)
		if err != nil {
			l.held = nil
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	by := ""
	if found.Spec.HolderIdentity != nil {
		by = *found.Spec.HolderIdentity
	}
	if by != "" && by != l.holder() && !expired && !l.dead(ctx, by) {
		return found, nil
	}
	l.sign(found, l.holder())
	held, err := c.UpdateLease(ctx, found)
	if err != nil {
		return nil, err
	}
	l.held = held
	return nil, nil
}

// dead reports whether the pod of a holder is known to run no more.
func (l *lease) dead(ctx context.Context, holder string) bool {
	name, uid, _ := strings.Cut(holder, "/")
	pod, err := l.d.client.GetPod(ctx, name)
	if err != nil {
		return apierrors.IsNotFound(err)
	}
	return string(pod.UID) != uid || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
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

// renew says again and again that this coordinator is there, until ctx ends. What can't be renewed is tried later: only
// another's signature ends it.
func (l *lease) renew(ctx context.Context) {
	defer close(l.done)
	t := time.NewTicker(leaseRenew)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		try, cancel := context.WithTimeout(ctx, leaseRenew)
		l.sign(l.held, l.holder())
		held, err := l.d.client.UpdateLease(try, l.held)
		if err == nil {
			l.held = held
		} else if apierrors.IsConflict(err) {
			found, err := l.d.client.GetLease(try, l.d.o.Job)
			if err == nil && (found.Spec.HolderIdentity == nil || *found.Spec.HolderIdentity != l.holder()) {
				cancel()
				close(l.lost)
				return
			}
			if err == nil {
				l.held = found
			}
		}
		cancel()
	}
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
