package kube

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/schema/record"
)

// ReasonRejected is the reason of an attempt that failed because the cluster rejected its pod.
const ReasonRejected = "PodRejected"

// create creates the attempt's pod after the ends of attempts that only this coordinator knows are in the log.
func (a *attempt) create() { a.d.attempts.unlogged.after(a.request) }

// request creates the attempt's pod, unless the attempt is to end, or a pod that an earlier coordinator has requested has appeared
// in the meantime.
func (a *attempt) request() {
	switch {
	case a.phase > searching: // it has ended, or its pod is being deleted
	case a.pod.gone || a.ending.set():
		a.settle(nil)
	case a.pod.uid != "":
		a.watch()
	case a.move(creating):
		a.maker = &maker{a: a, s: newSender(a.d, a.d.creates), lists: a.d.attempts.lists}
		a.maker.next()
	}
}

// created handles the outcome of the maker: the pod that was created or found, or the reason why there is none.
func (a *attempt) created(p *corev1.Pod, err error) {
	var no *rejection
	switch {
	case a.phase == ended && p != nil:
		a.d.strays.take(p)
	case a.phase >= revoking && p == nil:
	case p != nil:
		a.adopt(p)
	case a.pod.uid != "": // the watch has seen it
	case errors.As(err, &no):
		a.fail(record.ClassUser, no.reason, no.message)
	case a.ending.set(): // the attempt was stopped before its pod was created
		a.pod.gone = true
		a.settle(nil)
	default:
		a.fail(record.ClassInfrastructure, record.ReasonStart, "its pod can't be created: "+err.Error())
	}
}

// maker creates the pod of an attempt. It handles all errors of the API server. It is owned by the loop.
type maker struct {
	a        *attempt
	s        *sender
	manifest *corev1.Pod // the pod as it is to be created; used beside the loop, while a request is under way
	pod      *corev1.Pod // that was created or found; written beside the loop, while a request is under way
	lists    int         // how often the watch had listed all pods when the first request was sent
	judge    judge
	done     bool
}

// next sends the next request: to create the pod, or to find it if the attempt is to end and the pod may exist. It doesn't
// send one for an attempt that has ended or is about to: if its pod appears, it is a stray.
func (m *maker) next() {
	a := m.a
	switch {
	case m.done:
	case a.pod.uid != "": // the watch has seen it
		m.done = true
	case !a.ending.set() && a.phase < revoking:
		m.judge.wait(m)
		m.s.send(call{stale: m.stale, prepare: m.build, request: m.create, answered: m.answered})
	case a.phase >= revoking || !m.judge.maybe:
		m.finish(nil, nil)
	default:
		m.s.send(call{request: m.find, answered: m.looked})
	}
}

// halt ends a pause: the attempt is to end, or has ended.
func (m *maker) halt() {
	if m.s.skip() {
		m.next()
	}
}

// finish reports how the request has ended. If the pod may still be created, it will be looked for. The maker forgets the pod,
// which is much larger than what the attempt keeps of it: thousands of attempts may run at once.
func (m *maker) finish(p *corev1.Pod, err error) {
	m.done, m.pod = true, nil
	if p == nil && m.judge.maybe {
		m.a.d.strays.expect(m.a.name)
	}
	m.a.created(p, err)
}

// stale reports whether the pod is not to be created any more: the attempt has ended or is to end while the request waited for
// its turn, or the watch has seen the pod. It then sends the request that is necessary instead, if any.
func (m *maker) stale() bool {
	if a := m.a; a.pod.uid == "" && !a.ending.set() && a.phase < revoking {
		return false
	}
	m.next()
	return true
}

// build builds the pod. Pods are built only when it is their turn: thousands of attempts may wait, each with a large pod.
func (m *maker) build(ctx context.Context) (err error) {
	if m.manifest, err = m.a.build(ctx); err != nil {
		return &rejection{record.ReasonStart, err.Error()}
	}
	return nil
}

func (m *maker) create(ctx context.Context) (err error) {
	c := m.a.d.client
	m.pod, err = c.CreatePod(ctx, m.manifest)
	m.manifest = nil
	if apierrors.IsAlreadyExists(err) {
		m.pod, err = c.GetPod(ctx, m.a.name)
	}
	return err
}

func (m *maker) find(ctx context.Context) (err error) {
	m.pod, err = m.a.d.client.GetPod(ctx, m.a.name)
	return err
}

// answered takes in the answer to a request to create the pod.
func (m *maker) answered(err error) {
	var no *rejection
	if err == nil || errors.As(err, &no) { // it was not built
		m.finish(m.pod, err)
		return
	}
	if last := m.judge.judge(m, err); last != nil {
		m.finish(nil, last)
		return
	}
	m.pause(err)
}

// looked takes in the answer to a request to find the pod.
func (m *maker) looked(err error) {
	switch {
	case err == nil:
		m.finish(m.pod, nil)
	case apierrors.IsNotFound(err):
		m.finish(nil, nil)
	default:
		m.pause(err)
	}
}

// pause sends the next request after a while, or at once if it is another one: the attempt is to end meanwhile.
func (m *maker) pause(err error) {
	m.s.again(err, m.next)
	if a := m.a; a.phase >= revoking || a.ending.set() && !m.judge.maybe {
		m.halt()
	}
}
