package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/record"
)

// ReasonRejected is why an attempt has failed whose pod the cluster doesn't take.
const ReasonRejected = "PodRejected"

// requestTimeout ends a request that is not answered. It may have been obeyed all the same.
const requestTimeout = 30 * time.Second

// backOff is how long a request that failed waits to be sent again.
func (d *driver) backOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 200*time.Millisecond, 15*time.Second
	if d.o.pace > 0 {
		b.InitialInterval, b.MaxInterval = d.o.pace, 10*d.o.pace
	}
	b.Reset()
	return b
}

// make has the attempt's pod made.
func (d *driver) make(a *attempt) {
	if a.cause != "" || a.result != nil {
		a.making = false
		d.settle(a, nil)
		return
	}
	d.async(func(ctx context.Context) func() {
		m := maker{d: d, a: a, pod: a.pod, wait: d.backOff()}
		p, err := m.make(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return func() {
			a.making = false
			d.made(a, p, err)
		}
	})
}

// made goes on with a pod that is there now, or can't be.
func (d *driver) made(a *attempt, p *corev1.Pod, err error) {
	var no *rejection
	switch {
	case p != nil:
		d.adopt(a, p)
	case errors.As(err, &no):
		d.fail(a, record.ClassUser, no.reason, no.message)
	case a.cause != "" || a.result != nil: // it was stopped before there was one
		a.gone = true
		d.settle(a, nil)
	default:
		d.fail(a, record.ClassInfrastructure, record.ReasonStart, "its pod can't be created: "+err.Error())
	}
}

// rejection is why there will be no pod.
type rejection struct{ reason, message string }

func (r *rejection) Error() string { return r.message }

// maker makes one pod, against what a cluster may answer.
type maker struct {
	d    *driver
	a    *attempt
	pod  *corev1.Pod
	wait *backoff.ExponentialBackOff

	maybe bool                        // a request that failed may have been obeyed
	since map[podstate.Kind]time.Time // what the cluster lacks
	told  string
}

// make gives the pod, made now or found; neither that nor an error where the attempt was stopped before.
func (m *maker) make(ctx context.Context) (*corev1.Pod, error) {
	for {
		select {
		case <-m.a.quit:
			if !m.maybe {
				return nil, nil
			}
			p, err := m.find(ctx)
			if err == nil || apierrors.IsNotFound(err) {
				return p, nil
			}
			m.pause(ctx, err, nil)
			continue
		default:
		}
		p, err := m.request(ctx, func(ctx context.Context) (*corev1.Pod, error) { return m.d.client.CreatePod(ctx, m.pod) })
		if err == nil {
			return p, nil
		}
		if apierrors.IsAlreadyExists(err) {
			if p, err = m.find(ctx); err == nil {
				return p, nil
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if no := m.judge(err); no != nil {
			return nil, no
		}
		m.pause(ctx, err, m.a.quit)
	}
}

func (m *maker) find(ctx context.Context) (*corev1.Pod, error) {
	p, err := m.request(ctx, func(ctx context.Context) (*corev1.Pod, error) { return m.d.client.GetPod(ctx, m.pod.Name) })
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (m *maker) request(ctx context.Context, send func(context.Context) (*corev1.Pod, error)) (*corev1.Pod, error) {
	m.d.api <- struct{}{}
	defer func() { <-m.d.api }()
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return send(ctx)
}

// judge says whether an answer is the last word. What the namespace lacks may come; a server that is away or busy will.
func (m *maker) judge(err error) error {
	message := err.Error()
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(message, "exceeded quota"):
		return m.lacks(podstate.Quota, message)
	case apierrors.IsForbidden(err) && strings.Contains(message, "error looking up service account"):
		return m.lacks(podstate.Config, message)
	case apierrors.IsNotFound(err):
		return nil // the pod that existed is gone
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err),
		apierrors.IsMethodNotSupported(err), apierrors.IsUnauthorized(err) && !m.maybe:
		return &rejection{ReasonRejected, "the cluster doesn't take its pod: " + message}
	}
	m.maybe = true
	if m.told == "" {
		m.told = "its pod can't be created yet: " + message
		m.d.post(func() { m.d.warn(m.a.id.step, m.told) })
	}
	return nil
}

// lacks is for what may come: it is waited for, for a while.
func (m *maker) lacks(kind podstate.Kind, message string) error {
	if m.since == nil {
		m.since = map[podstate.Kind]time.Time{}
	}
	if m.since[kind].IsZero() {
		m.since[kind] = time.Now()
		m.d.post(func() { m.d.warn(m.a.id.step, "its pod has to wait: "+message) })
	}
	grace := kind.Grace(m.a.spec.Def.PendingTimeout.D())
	if waited := time.Since(m.since[kind]); waited >= grace {
		return &rejection{kind.EndReason(), fmt.Sprintf("its pod could not be created for %s: %s", waited.Round(time.Second), message)}
	}
	return nil
}

// pause waits before the next try, at least as long as the server asks for.
func (m *maker) pause(ctx context.Context, err error, quit <-chan struct{}) {
	wait := m.wait.NextBackOff()
	if s, ok := apierrors.SuggestsClientDelay(err); ok {
		wait = max(wait, time.Duration(s)*time.Second)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-quit:
	}
}

// retry sends a request until it is answered, and not only refused for want of time.
func (d *driver) retry(ctx context.Context, what string, send func(context.Context) error) error {
	wait := d.backOff()
	for {
		try, cancel := context.WithTimeout(ctx, requestTimeout)
		err := send(try)
		cancel()
		if err == nil || !passing(err) {
			return err
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("can't %s: %w", what, err)
		}
	}
}

// passing says whether an error may pass by itself.
func passing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // no answer at all
	}
	code := status.Status().Code
	return code == 429 || code >= 500
}
