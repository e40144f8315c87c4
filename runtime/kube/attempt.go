package kube

import (
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

// attempt is an attempt that has not ended. It is owned by the loop, except for quit, which the goroutine that creates the
// pod waits for.
type attempt struct {
	d    *driver
	id   record.AttemptID
	step *step.Spec
	spec engine.Spec
	name string        // of the pod
	quit chan struct{} // closed when the attempt is to end: the pod is not created any more

	passed bool // the run has a pod of a later attempt of the step

	phase  phase
	ending ending
	timers *timers

	manifest *corev1.Pod // the pod as it is to be created; nil while it is being built
	digest   string      // of the manifest
	pod      podView
	waits    map[podstate.Kind]time.Time // since when the pod waits for something of this kind
	tail     record.Log                  // what was saved of the log of a pod that left no result
}

// podView is what is known of an attempt's pod.
type podView struct {
	uid     types.UID // "": no pod is known
	began   time.Time // when the pod was created, by this machine's clock
	state   podstate.State
	started time.Time // of the main container, as the engine knows it; zero: the engine doesn't know of it yet
	lost    time.Time // since when its node has been unreachable; zero: it is reachable
	gone    bool      // the pod doesn't exist any more
}

// ending is why an attempt ends before its pod does: the engine stops it, or this coordinator gives it up, or both.
type ending struct {
	cause  string         // why the engine stops it; "": it doesn't
	result *record.Result // what a given up attempt ends with, if nothing is committed; nil: what the pod says
}

// set reports whether there is such a reason.
func (e *ending) set() bool { return e.cause != "" || e.result != nil }

func newAttempt(d *driver, id record.AttemptID) *attempt {
	return &attempt{
		d: d, id: id, name: kube.PodName(d.o.JobUID, record.Address(id.Step).SafeName(), id.Attempt), quit: make(chan struct{}),
		timers: newTimers(d.post), waits: map[podstate.Kind]time.Time{},
	}
}

// bugNote is part of each warning about a bug of pipec's own.
const bugNote = "this is a bug of pipec: please report it"

// move changes the attempt's phase, if the move is legal. Any other is ignored and reported: the run must not suffer from
// a coordinator that has lost count. The last phase ends all timers.
func (a *attempt) move(to phase) bool {
	for _, next := range legal[a.phase] {
		if next == to {
			if a.phase = to; to == ended {
				a.timers.stopAll()
			}
			return true
		}
	}
	a.d.warn(a.id.Step, fmt.Sprintf("attempt %d can't change from %s to %s; %s", a.id.Attempt, a.phase, to, bugNote))
	return false
}

// adopt takes over a pod that exists, if it is the attempt's.
func (a *attempt) adopt(p *corev1.Pod) {
	if why := a.foreign(p); why != "" {
		a.fail(record.ClassUser, ReasonConflict, fmt.Sprintf("the pod %s exists and does not belong to this attempt: %s", p.Name, why))
		return
	}
	if a.phase == preparing || a.phase == creating {
		a.move(watching)
	}
	if a.pod.uid == "" {
		a.pod.uid, a.pod.began = p.UID, now()
		if at := p.CreationTimestamp.Time; at.Before(a.pod.began) {
			a.pod.began = at
		}
		a.changed(p)
	} // else the watch was first, and what it has reported since is newer than the answer to a request
	if a.ending.set() {
		a.remove()
	}
}

// ReasonConflict is why an attempt has failed whose pod's name was taken.
const ReasonConflict = "PodConflict"

// foreign returns why a pod is not the one that was to be created; "": it is.
func (a *attempt) foreign(p *corev1.Pod) string {
	switch {
	case !ownedBy(p, a.d.o.JobUID):
		return "it belongs to another run, or to no run"
	case p.Annotations[kube.AnnotationStep] != a.id.Step:
		return fmt.Sprintf("it belongs to step %q", p.Annotations[kube.AnnotationStep])
	case p.Labels[kube.LabelAttempt] != fmt.Sprint(a.id.Attempt):
		return "it belongs to attempt " + p.Labels[kube.LabelAttempt]
	case p.Annotations[kube.AnnotationSpec] != a.digest:
		return "it was created from another spec"
	}
	return ""
}

// changed takes in the pod as the cluster reports it.
func (a *attempt) changed(p *corev1.Pod) {
	switch {
	case a.phase == ended || a.pod.gone || a.pod.uid != "" && a.pod.uid != p.UID:
		return
	case a.pod.uid == "":
		if a.digest == "" || a.foreign(p) != "" {
			return // the response to the creation of the pod will decide
		}
		a.pod.uid, a.pod.began = p.UID, now()
	}
	if a.phase == creating {
		a.move(watching)
	}
	a.pod.state = podstate.Of(p)
	s := &a.pod.state
	if !s.Started.IsZero() && a.pod.started.IsZero() {
		a.pod.started = s.Started
		a.d.feed(record.Event{Type: record.AttemptStarted, Step: a.id.Step, Attempt: a.id.Attempt, At: s.Started.UTC()})
	}
	if a.ending.set() {
		a.remove()
	}
	a.boundWait()
	a.watchNode(p)
	if s.Ends() {
		a.read(a.settle)
	}
}

// vanished takes in that the pod doesn't exist any more.
func (a *attempt) vanished() {
	if a.phase == ended || a.pod.gone {
		return
	}
	a.pod.gone = true
	a.read(a.settle)
}

// stop ends the attempt because the engine doesn't want it any more.
func (a *attempt) stop(why string) {
	if a.ending.cause != "" {
		return
	}
	a.end(ending{why, a.ending.result})
}

// giveUp ends the attempt because its pod can't be waited for. The result counts if nothing is committed.
func (a *attempt) giveUp(class record.Class, reason, message string) {
	if a.phase == ended || a.ending.set() {
		return
	}
	r := &record.Result{Status: record.Failed, Class: class, Reason: reason, Message: message}
	a.d.run.Log(record.Event{Type: record.AttemptStopping, Step: a.id.Step, Attempt: a.id.Attempt, Result: r, Reason: reason, Text: message})
	a.end(ending{"", r})
}

// end keeps the pod from being created, and deletes the one that exists.
func (a *attempt) end(why ending) {
	if !a.ending.set() {
		close(a.quit)
	}
	a.ending = why
	if a.pod.uid != "" {
		a.remove()
	}
}

// fail ends an attempt that has no pod.
func (a *attempt) fail(class record.Class, reason, message string) {
	if a.ending.result == nil {
		a.ending.result = &record.Result{Status: record.Failed, Class: class, Reason: reason, Message: message}
	}
	a.pod.gone = true
	a.settle(nil)
}
