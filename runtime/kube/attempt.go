package kube

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// attempt is one that has not ended. It belongs to the loop, but for what is said to be others'.
type attempt struct {
	id    attemptID
	step  *step.Spec
	spec  engine.Spec
	name  string        // of the pod
	quit  chan struct{} // closed when it is to be stopped: whoever waits to make the pod gives up
	quits bool

	pod     *corev1.Pod // as it is to be made; nil before it is known
	digest  string      // of that
	uid     types.UID   // of the pod; "": there is none that is known
	began   time.Time   // when the pod was made, by this machine's clock
	state   podstate.State
	told    bool // that it has started
	gone    bool
	reading bool // its result is read
	waited  bool // for the pod to say why it was ended
	over    bool

	making  bool           // someone makes the pod
	cause   string         // why the engine has it stopped; "": it doesn't
	result  *record.Result // what its end is taken for, where nothing was committed; nil: what the pod says
	removed bool           // the pod is deleted, by this coordinator

	waits   map[podstate.Kind]time.Time // since when
	pending *time.Timer
	late    bool       // it is watched whether the pod goes that was deleted
	silent  bool       // its node is
	tail    record.Log // what was saved of the log of a pod that left no result
}

// start begins an attempt.
func (d *driver) start(spec engine.Spec) {
	a := &attempt{
		id: attemptID{spec.Step, spec.Attempt}, spec: spec, step: d.task(&spec), name: kube.PodName(d.o.JobUID, record.Address(spec.Step).SafeName(), spec.Attempt),
		quit: make(chan struct{}), waits: map[podstate.Kind]time.Time{}, making: true,
	}
	d.attempts[a.id], d.byPod[a.name] = a, a
	listed, before := d.listed[a.name], d.resumed && d.listed != nil
	if r, ok := d.givenUp[a.id]; ok {
		a.result = r
	}
	d.async(func(ctx context.Context) func() {
		pod, digest, err := d.pod(ctx, a)
		if err != nil {
			return func() { a.making = false; d.fail(a, record.ClassUser, record.ReasonStart, err.Error()) }
		}
		return func() {
			a.pod, a.digest = pod, digest
			switch {
			case listed != nil:
				a.making = false
				d.adopt(a, listed)
			case before: // its pod may have gone, and left a result
				d.readThen(a, func(r *record.Result) { d.resume(a, r) })
			default:
				d.make(a)
			}
		}
	})
}

// resume is for an attempt that a coordinator before this one may have made, and whose pod is not there.
func (d *driver) resume(a *attempt, r *record.Result) {
	switch {
	case r != nil || a.result != nil:
		a.making, a.gone = false, true
		d.settle(a, r)
	default:
		d.make(a)
	}
}

// adopt takes a pod that is there for the attempt's, if it is.
func (d *driver) adopt(a *attempt, p *corev1.Pod) {
	if why := foreign(a, p, d.o.JobUID); why != "" {
		d.fail(a, record.ClassUser, ReasonConflict, fmt.Sprintf("there is a pod %s that is not this attempt's: %s", p.Name, why))
		return
	}
	if a.uid == "" {
		a.uid, a.began = p.UID, now()
		if at := p.CreationTimestamp.Time; at.Before(a.began) {
			a.began = at
		}
		a.changed(d, p)
	} // else the watch was first, and what it told since is newer than what a request was answered
	if a.cause != "" || a.result != nil {
		d.remove(a)
	}
}

// ReasonConflict is why an attempt has failed whose pod's name was taken.
const ReasonConflict = "PodConflict"

// foreign says why a pod is not the one that was to be made; "": it is.
func foreign(a *attempt, p *corev1.Pod, jobUID string) string {
	owned := false
	for i := range p.OwnerReferences {
		owned = owned || string(p.OwnerReferences[i].UID) == jobUID
	}
	switch {
	case !owned:
		return "it belongs to another run, or to none"
	case p.Annotations[kube.AnnotationStep] != a.id.step:
		return fmt.Sprintf("it is of the step %q", p.Annotations[kube.AnnotationStep])
	case p.Labels[kube.LabelAttempt] != fmt.Sprint(a.id.n):
		return "it is of the attempt " + p.Labels[kube.LabelAttempt]
	case p.Annotations[kube.AnnotationSpec] != a.digest:
		return "it was made of another spec"
	}
	return ""
}

// changed takes in how the pod stands.
func (a *attempt) changed(d *driver, p *corev1.Pod) {
	switch {
	case a.over || a.gone || a.uid != "" && a.uid != p.UID:
		return
	case a.uid == "":
		if a.digest == "" || foreign(a, p, d.o.JobUID) != "" {
			return // whoever makes the pod will find out
		}
		a.uid, a.began = p.UID, now()
	}
	a.state = podstate.Of(p)
	s := &a.state
	if !s.Started.IsZero() && !a.told {
		a.told = true
		d.feed(record.Event{Type: record.AttemptStarted, Step: a.id.step, Attempt: a.id.n, At: s.Started.UTC()})
	}
	d.watchWait(a)
	d.watchNode(a, p)
	if s.Ends() {
		d.readThen(a, func(r *record.Result) { d.settle(a, r) })
	}
}

func (a *attempt) isGone(d *driver) {
	if a.over || a.gone {
		return
	}
	a.gone = true
	d.readThen(a, func(r *record.Result) { d.settle(a, r) })
}

// stop ends an attempt that the engine doesn't want any more.
func (d *driver) stop(id attemptID, why string) {
	a := d.attempts[id]
	if a == nil || a.cause != "" {
		return
	}
	a.cause = why
	a.halt()
	switch {
	case a.uid != "":
		d.remove(a)
	case !a.making:
		d.settle(a, nil)
	}
}

// halt makes sure that nobody goes on to make the pod.
func (a *attempt) halt() {
	if !a.quits {
		a.quits = true
		close(a.quit)
	}
}

// giveUp ends an attempt whose pod can't be waited for. What comes of it is known, should nothing be committed yet.
func (d *driver) giveUp(a *attempt, class record.Class, reason, message string) {
	if a.over || a.result != nil || a.cause != "" {
		return
	}
	a.result = &record.Result{Status: record.Failed, Class: class, Reason: reason, Message: message}
	a.halt()
	d.journal.Add(d.number(record.Event{Type: record.AttemptStopping, Step: a.id.step, Attempt: a.id.n, Result: a.result, Reason: reason, Text: message}))
	if a.uid != "" {
		d.remove(a)
	}
}

// fail ends an attempt that has no pod.
func (d *driver) fail(a *attempt, class record.Class, reason, message string) {
	if a.result == nil {
		a.result = &record.Result{Status: record.Failed, Class: class, Reason: reason, Message: message}
	}
	a.gone = true
	d.settle(a, nil)
}
