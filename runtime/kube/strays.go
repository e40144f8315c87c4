package kube

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/schema/record"
)

// strays are the pods of the run that no attempt of this coordinator has asked for: an earlier coordinator has created them,
// or a request was obeyed after its attempt had ended. A stray that the run may still ask for is kept, any other is deleted.
// It is owned by the loop.
type strays struct {
	d      *driver
	byStep map[string][]stray // those that are kept
	late   map[string]bool    // names of pods whose creation may still be obeyed
	// checked are the pods that run and whose results are or were looked up.
	checked map[types.UID]bool
	open    int // lookups that are in progress
}

// stray is a pod that is kept.
type stray struct {
	id   record.AttemptID
	name string
	uid  types.UID
	runs bool // something in the pod runs
	ends bool // the main container has ended
}

func newStrays(d *driver) *strays {
	return &strays{d: d, byStep: map[string][]stray{}, late: map[string]bool{}, checked: map[types.UID]bool{}}
}

// list takes in a pod that existed when this coordinator started, and that no attempt has asked for. If it has ended, it is
// treated like the pods of this coordinator's attempts.
func (s *strays) list(p *corev1.Pod) {
	if id, _ := s.d.owned(p); s.d.run.MayStart(id) || runs(p) {
		s.take(p)
		return
	}
	s.d.swept.keep(p.Name, p.UID)
}

// runs reports whether something in a pod runs, or will.
func runs(p *corev1.Pod) bool {
	state := podstate.Of(p)
	return !state.Ends() || state.OthersRun
}

// take takes in a pod that no attempt has asked for, as the cluster reports it.
func (s *strays) take(p *corev1.Pod) {
	id, ok := s.d.owned(p)
	if !ok || p.DeletionTimestamp != nil {
		return
	}
	state := podstate.Of(p)
	found := stray{id, p.Name, p.UID, runs(p), state.Ends()}
	if !s.d.run.MayStart(id) {
		if found.runs { // else it is the pod of an attempt that has ended, and was taken care of
			s.remove(&found)
		}
		return
	}
	s.drop(id.Step, p.UID)
	s.byStep[id.Step] = append(s.byStep[id.Step], found)
}

// remove deletes a stray, at once if it runs. A pod that has committed its result is about to end, and is left alone.
func (s *strays) remove(p *stray) {
	switch {
	case !p.runs:
		s.d.swept.keep(p.name, p.uid)
	case p.ends:
		s.d.swept.delete(p.name, p.uid, time.Now(), nil)
	default:
		s.check(*p)
	}
}

// strayValues is how many large values the result of a stray may have. One with more is taken for missing.
const strayValues = 32

// check deletes a stray that runs, unless its wrapper has committed a result. A store that doesn't answer does not keep it alive.
func (s *strays) check(p stray) {
	if _, done := s.checked[p.uid]; done {
		return
	}
	s.checked[p.uid] = true
	s.open++
	key := s.d.resultKey(p.id)
	want := seal{key: s.d.sealKey(p.id), values: strayValues}
	s.d.async(func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, logWait)
		defer cancel()
		r, err := readResult(ctx, s.d.store, key, want)
		return func() {
			s.open--
			if err != nil || r.GivenUp {
				s.d.swept.delete(p.name, p.uid, time.Now(), nil)
			}
		}
	})
}

// claim forgets a pod that an attempt asks for.
func (s *strays) claim(a *attempt) {
	for _, p := range s.byStep[a.id.Step] {
		if p.name == a.name {
			s.drop(a.id.Step, p.uid)
			return
		}
	}
}

// gone forgets a pod that doesn't exist any more.
func (s *strays) gone(p *corev1.Pod) {
	s.d.swept.gone(p.UID)
	delete(s.checked, p.UID)
	if id, ok := s.d.owned(p); ok {
		s.drop(id.Step, p.UID)
	}
}

// drop forgets the pod of a step with this UID.
func (s *strays) drop(step string, uid types.UID) {
	kept := s.byStep[step]
	for i := range kept {
		if kept[i].uid == uid {
			s.byStep[step] = append(kept[:i], kept[i+1:]...)
			break
		}
	}
	if len(s.byStep[step]) == 0 {
		delete(s.byStep, step)
	}
}

// ended deletes the strays of a step that has ended.
func (s *strays) ended(step string) {
	for _, p := range s.byStep[step] {
		s.remove(&p)
	}
	delete(s.byStep, step)
}

// clear deletes all strays: the run has ended.
func (s *strays) clear() {
	for step := range s.byStep {
		s.ended(step)
	}
}

// expect notes that a pod may still be created though its attempt doesn't wait for it any more: a request whose answer was
// lost may be under way. The watch reports the pod then.
func (s *strays) expect(name string) {
	s.late[name] = true
	s.d.after(requests.Timeout, func() { delete(s.late, name) })
}

// busy reports whether such pods may still be created, or strays are being looked up.
func (s *strays) busy() bool { return len(s.late) > 0 || s.open > 0 }
