package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/record"
)

// attempts are those of a run that have not ended. They are owned by the loop.
type attempts struct {
	d     *driver
	byID  map[record.AttemptID]*attempt
	byPod map[string]*attempt
	// listed are the pods that exist before their attempts are started again; nil once these were.
	listed map[string]*corev1.Pod
	// highest is the highest attempt of each step that has a pod in listed. Earlier attempts of the step have ended.
	highest map[string]int
	// givenUp are the results of attempts that an earlier coordinator has given up, by the run's log.
	givenUp map[record.AttemptID]*record.Result

	unlogged unlogged
}

func newAttempts(d *driver) *attempts {
	return &attempts{
		d: d, byID: map[record.AttemptID]*attempt{}, byPod: map[string]*attempt{}, unlogged: unlogged{d: d},
		listed: map[string]*corev1.Pod{}, highest: map[string]int{}, givenUp: map[record.AttemptID]*record.Result{},
	}
}

// start begins an attempt: its pod is built, and then adopted, looked for or created.
func (s *attempts) start(spec engine.Spec) {
	d := s.d
	a := newAttempt(d, record.AttemptID{Step: spec.Step, Attempt: spec.Attempt})
	a.spec, a.step = spec, d.task(&spec)
	s.byID[a.id], s.byPod[a.name] = a, a
	a.passed = s.highest[spec.Step] > spec.Attempt
	listed, before := s.listed[a.name], d.resumed && s.listed != nil || a.passed
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
			case before: // its pod may have gone, and left a result
				a.search()
			default:
				a.create()
			}
		}
	})
}

// settled forgets an attempt that has ended.
func (s *attempts) settled(a *attempt) {
	delete(s.byID, a.id)
	delete(s.byPod, a.name)
}

// stop ends an attempt that the engine doesn't want any more.
func (s *attempts) stop(id record.AttemptID, why string) {
	if a := s.byID[id]; a != nil {
		a.stop(why)
	}
}

// resumed forgets the pods that were listed, when the attempts that may own them were started again.
func (s *attempts) resumed() { s.listed = nil }

// podChanged takes in a pod of the run as the cluster reports it.
func (s *attempts) podChanged(p *corev1.Pod) {
	a := s.byPod[p.Name]
	switch {
	case a != nil:
		a.changed(p)
	case s.listed != nil:
		s.listed[p.Name] = p
		if id, ok := s.d.owned(p); ok {
			s.highest[id.Step] = max(s.highest[id.Step], id.Attempt)
		}
	}
}

// podGone takes in that a pod of the run doesn't exist any more.
func (s *attempts) podGone(p *corev1.Pod) {
	delete(s.listed, p.Name)
	if a := s.byPod[p.Name]; a != nil && a.pod.uid == p.UID {
		a.changed(p)
		a.vanished()
	}
}

// vanished is podGone for a pod that a request has not found: the watch need not have reported that yet.
func (s *attempts) vanished(name string, uid types.UID) {
	if a := s.byPod[name]; a != nil && a.pod.uid == uid {
		a.vanished()
	}
}
