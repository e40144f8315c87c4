package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/record"
)

// attempts are the attempts of a run that have not ended. They are owned by the loop.
type attempts struct {
	d     *driver
	byID  map[record.AttemptID]*attempt
	byPod map[string]*attempt
	// listed are the pods that existed when this coordinator resumed the run; nil after their attempts were started again.
	listed map[string]*corev1.Pod
	// givenUp are the results of attempts that an earlier coordinator has given up, from the run's log.
	givenUp map[record.AttemptID]*record.Result
}

func newAttempts(d *driver) *attempts {
	return &attempts{
		d: d, byID: map[record.AttemptID]*attempt{}, byPod: map[string]*attempt{},
		listed: map[string]*corev1.Pod{}, givenUp: map[record.AttemptID]*record.Result{},
	}
}

// start begins an attempt. It builds the pod, and then adopts it, looks for a result of an earlier pod, or creates it.
func (s *attempts) start(spec engine.Spec) {
	d := s.d
	a := newAttempt(d, record.AttemptID{Step: spec.Step, Attempt: spec.Attempt})
	a.spec, a.step = spec, d.task(&spec)
	s.byID[a.id], s.byPod[a.name] = a, a
	listed, before := s.listed[a.name], d.resumed && s.listed != nil
	if r, ok := s.givenUp[a.id]; ok && r != nil {
		a.end(ending{"", r})
	}
	d.async(func(ctx context.Context) func() {
		manifest, digest, err := d.pod(ctx, a)
		if err != nil {
			return func() { a.fail(record.ClassUser, record.ReasonStart, err.Error()) }
		}
		return func() {
			a.manifest, a.digest = manifest, digest
			switch {
			case listed != nil:
				a.adopt(listed)
			case before: // its pod may be gone and may have left a result
				a.search()
			default:
				a.create()
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

// resumed drops the listed pods. It is called when the attempts that may own them were started again.
func (s *attempts) resumed() { s.listed = nil }

// podChanged handles a change of a pod of the run that the cluster reports.
func (s *attempts) podChanged(p *corev1.Pod) {
	a := s.byPod[p.Name]
	switch {
	case a != nil:
		a.changed(p)
	case s.listed != nil:
		s.listed[p.Name] = p
	}
}

// podGone handles that a pod of the run no longer exists.
func (s *attempts) podGone(p *corev1.Pod) {
	delete(s.listed, p.Name)
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
