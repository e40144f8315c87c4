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
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/schema/record"
)

// ReasonRejected is why an attempt has failed whose pod the cluster rejects.
const ReasonRejected = "PodRejected"

// create creates the attempt's pod after the ends of attempts that only this coordinator knows are in the log.
func (a *attempt) create() { a.d.attempts.unlogged.after(a.request) }

// request creates the attempt's pod, unless the attempt is to end.
func (a *attempt) request() {
	if a.phase == ended {
		return
	}
	if a.ending.set() {
		a.settle(nil)
		return
	}
	if !a.move(creating) {
		return
	}
	a.d.async(func(ctx context.Context) func() {
		m := maker{d: a.d, a: a, pod: a.manifest, wait: a.d.requests.BackOff()}
		p, err := m.make(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return func() { a.created(p, err) }
	})
}

// created takes in the pod that was created or found, or why there is none.
func (a *attempt) created(p *corev1.Pod, err error) {
	var no *rejection
	switch {
	case a.phase == ended:
	case p != nil:
		a.adopt(p)
	case errors.As(err, &no):
		a.fail(record.ClassUser, no.reason, no.message)
	case a.ending.set(): // it was stopped before there was a pod
		a.pod.gone = true
		a.settle(nil)
	default:
		a.fail(record.ClassInfrastructure, record.ReasonStart, "its pod can't be created: "+err.Error())
	}
}

// rejection is why there can be no pod.
type rejection struct{ reason, message string }

func (r *rejection) Error() string { return r.message }

// maker creates one pod, whatever the API server answers.
type maker struct {
	d    *driver
	a    *attempt
	pod  *corev1.Pod
	wait *backoff.ExponentialBackOff

	maybe bool                        // a request that failed may have been obeyed
	since map[podstate.Kind]time.Time // what the cluster lacks
	told  string
}

// make returns the pod, which was created or found. It returns neither a pod nor an error if the attempt was stopped before.
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
	defer m.d.requests.Enter()()
	ctx, cancel := context.WithTimeout(ctx, requests.Timeout)
	defer cancel()
	return send(ctx)
}

// judge returns why there can be no pod; nil: the request is sent again. What the namespace lacks may be added, and a server
// that is away or busy will answer again.
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
		return &rejection{ReasonRejected, "the cluster doesn't accept its pod: " + message}
	}
	m.maybe = true
	if m.told == "" {
		m.told = "its pod can't be created yet: " + message
		m.d.post(func() { m.d.warn(m.a.id.Step, m.told) })
	}
	return nil
}

// lacks waits for something that the namespace lacks, for a while.
func (m *maker) lacks(kind podstate.Kind, message string) error {
	if m.since == nil {
		m.since = map[podstate.Kind]time.Time{}
	}
	if m.since[kind].IsZero() {
		m.since[kind] = time.Now()
		m.d.post(func() { m.d.warn(m.a.id.Step, "its pod has to wait: "+message) })
	}
	grace := kind.Grace(m.a.spec.Def.PendingTimeout.D())
	if waited := time.Since(m.since[kind]); waited >= grace {
		return &rejection{kind.EndReason(), fmt.Sprintf("its pod could not be created for %s: %s", waited.Round(time.Second), message)}
	}
	return nil
}

// pause waits before the next try, at least as long as the server demands.
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
