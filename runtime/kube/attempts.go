package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/record"
)

// attempts are the attempts of a run that have not ended. They are owned by the loop.
type attempts struct {
	d     *driver
	byID  map[record.AttemptID]*attempt
	byPod map[string]*attempt
	// listed are the pods that existed when this coordinator resumed the run; nil after their attempts were started again.
	listed map[string]*corev1.Pod
	// highest is the highest attempt of each step that has a pod in listed. Earlier attempts of the step have ended.
	highest map[string]int
	// givenUp are the results of attempts that an earlier coordinator has given up, from the run's log.
	givenUp map[record.AttemptID]*record.Result
	// lists is how often all pods were listed.
	lists int

	unlogged unlogged
}

func newAttempts(d *driver) *attempts {
	return &attempts{
		d: d, byID: map[record.AttemptID]*attempt{}, byPod: map[string]*attempt{}, unlogged: unlogged{d: d},
		listed: map[string]*corev1.Pod{}, highest: map[string]int{}, givenUp: map[record.AttemptID]*record.Result{},
	}
}

// start begins an attempt: it creates the pod. If an earlier coordinator may have done that, it first adopts the pod that exists,
// or looks for a result of an earlier pod.
func (s *attempts) start(spec engine.Spec) {
	d := s.d
	a := newAttempt(d, record.AttemptID{Step: spec.Step, Attempt: spec.Attempt})
	a.spec = spec
	s.byID[a.id], s.byPod[a.name] = a, a
	d.catchUp.look()
	d.strays.claim(a)
	a.passed = s.highest[spec.Step] > spec.Attempt
	listed := s.listed[a.name]
	if r, ok := s.givenUp[a.id]; ok && r != nil {
		a.end(ending{"", r})
	}
	if !d.resumed {
		a.create()
		return
	}
	d.builds.do(func(ctx context.Context) func() {
		if _, err := a.build(ctx); err != nil {
			return func() { a.fail(record.ClassUser, record.ReasonStart, err.Error()) }
		}
		return func() {
			if listed != nil {
				a.adopt(listed)
			} else { // an earlier coordinator may have created its pod, which may have left a result
				a.search()
			}
		}
	})
}

// settled removes an attempt that has ended.
func (s *attempts) settled(a *attempt) {
	delete(s.byID, a.id)
	delete(s.byPod, a.name)
}

// stop ends an attempt that the engine has stopped.
func (s *attempts) stop(id record.AttemptID, why string) {
	if a := s.byID[id]; a != nil {
		a.stop(why)
	}
}

// resumed hands over the pods that were listed and that no attempt has asked for, when the attempts that may own them were
// started again.
func (s *attempts) resumed() {
	listed := s.listed
	s.listed = nil
	for name, p := range listed {
		if s.byPod[name] == nil {
			s.d.strays.list(p)
		}
	}
}

// podChanged handles a change of a pod of the run that the cluster reports.
func (s *attempts) podChanged(p *corev1.Pod) {
	a := s.byPod[p.Name]
	switch {
	case a != nil:
		a.changed(p)
	case s.listed != nil:
		s.list(p)
	default:
		s.d.strays.take(p)
	}
}

// list takes in a pod that exists before the attempts are started again. Pods that have ended, of attempts that have ended,
// are not kept: a big run may have thousands of them.
func (s *attempts) list(p *corev1.Pod) {
	id, ok := s.d.owned(p)
	if !ok {
		return
	}
	s.highest[id.Step] = max(s.highest[id.Step], id.Attempt)
	if state := podstate.Of(p); state.Over && !s.d.run.MayStart(id) {
		s.d.swept.keep(p.Name, p.UID)
		return
	}
	s.listed[p.Name] = p
}

// podGone handles that a pod of the run no longer exists.
func (s *attempts) podGone(p *corev1.Pod) {
	delete(s.listed, p.Name)
	s.d.strays.gone(p)
	if a := s.byPod[p.Name]; a != nil && a.pod.uid == p.UID {
		a.changed(p)
		a.vanished()
	}
}

// vanished is like podGone, for a pod that a request has not found. The watch may not have reported that yet.
func (s *attempts) vanished(name string, uid types.UID) {
	if a := s.byPod[name]; a != nil && a.pod.uid == uid {
		a.vanished()
	}
}

// relisted takes in the UIDs of all pods that exist, after the watch has listed them again. An attempt whose pod is not among
// them may have missed that the pod has gone; or the pod was created since, so a request decides.
func (s *attempts) relisted(there map[string]types.UID) {
	s.lists++
	for name, a := range s.byPod {
		if uid := a.pod.uid; uid != "" && !a.pod.gone && there[name] != uid {
			s.confirm(name, uid)
		}
	}
}

// seen takes in that a pod was found by a request. If all pods were listed since the request was first sent, the pod may have
// gone before the list, and no watch will report that.
func (s *attempts) seen(a *attempt) {
	if a.maker != nil && a.maker.lists != s.lists {
		s.confirm(a.name, a.pod.uid)
	}
}

// confirm finds out whether a pod exists.
func (s *attempts) confirm(name string, uid types.UID) {
	d := s.d
	d.reads.do(func(ctx context.Context) func() {
		var p *corev1.Pod
		err := d.requests.Retry(ctx, "read the pod "+name, func(ctx context.Context) (err error) {
			p, err = d.client.GetPod(ctx, name)
			return err
		})
		if apierrors.IsNotFound(err) || err == nil && p.UID != uid {
			return func() { s.vanished(name, uid) }
		}
		return nil
	})
}
