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
	leaseExpiry = 30 * time.Second // how long a lease is valid without a change, by this machine's clock
	leaseLook   = 2 * time.Second  // how often a lease that another coordinator holds is read
)

// lease prevents that two coordinators work on the same run for long. It is not a lock: the names of pods and the run's log
// make the actions of coordinators safe without it.
type lease struct {
	d    *driver
	held *coordinationv1.Lease
	lost chan struct{} // closed when another coordinator has taken the lease
	stop context.CancelFunc
	done chan struct{} // closed when renew has ended
}

func newLease(d *driver) *lease {
	return &lease{d: d, lost: make(chan struct{}), done: make(chan struct{})}
}

// holder returns the identity of this coordinator. It does not change when its container is restarted in the pod.
func (l *lease) holder() string { return l.d.o.Pod + "/" + l.d.o.PodUID }

// acquire waits until the lease is free or has expired, and takes it.
func (l *lease) acquire(ctx context.Context) error {
	seen, since := "", time.Now()
	for {
		var found *coordinationv1.Lease
		err := l.d.requests.Retry(ctx, "hold the Lease "+l.d.o.Job, func(ctx context.Context) (err error) {
			found, err = l.take(ctx, seen != "" && time.Since(since) >= leaseExpiry)
			return err
		})
		switch {
		case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err): // the lease was changed concurrently
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

// take tries once to take the lease. It returns the lease if another coordinator holds it.
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

// dead reports whether the pod of a holder is known to have ended.
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

// keep renews the lease in the background until release.
func (l *lease) keep(ctx context.Context) {
	ctx, l.stop = context.WithCancel(ctx)
	go l.renew(ctx)
}

// renew renews the lease regularly until ctx ends or another coordinator has taken it. It ignores other errors, and tries again
// later.
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
