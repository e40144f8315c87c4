package kube

import (
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// attempt is an attempt that has not ended. It is owned by the loop.
type attempt struct {
	d    *driver
	id   record.AttemptID
	spec engine.Spec
	name string // of the pod

	passed bool // the run has a pod of a later attempt of the step

	phase  phase
	ending ending
	timers *timers

	maker    *maker                // creates the pod; nil before
	deleting bool                  // the deletion of the pod was requested
	built    atomic.Pointer[built] // set beside the loop before the pod can exist; nil: the pod was not built
	pod      podView
	waits    map[podstate.Kind]time.Time // when the pod began to wait for something of this kind
	tail     record.Log                  // the saved end of the log of a pod that left no result
}

// built is what is needed of the pod of an attempt after it was built.
type built struct {
	digest string
	grace  time.Duration // how long the pod may take to end
}

// podView is the state of an attempt's pod as the coordinator knows it.
type podView struct {
	uid     types.UID // "": no pod is known
	began   time.Time // when the pod was created, by this machine's clock
	state   podstate.State
	started time.Time // start of the main container as reported to the engine; zero: not reported yet
	lost    time.Time // when its node became unreachable; zero: the node is reachable
	gone    bool      // the pod doesn't exist any more
}

// ending is why an attempt ends before its pod: the engine stops it, this coordinator gives it up, or both.
type ending struct {
	cause  string         // why the engine stops the attempt; "": the engine does not stop it
	result *record.Result // the result of an attempt that was given up and has committed nothing; nil: it follows from the pod
}

// set reports whether the attempt is to end.
func (e *ending) set() bool { return e.cause != "" || e.result != nil }

func newAttempt(d *driver, id record.AttemptID) *attempt {
	return &attempt{
		d: d, id: id, name: kube.PodName(d.o.JobUID, record.Address(id.Step).SafeName(), id.Attempt),
		timers: newTimers(d.post), waits: map[podstate.Kind]time.Time{},
	}
}

// bugNote is part of each warning about a bug of pipec's own.
const bugNote = "this is a bug of pipec: please report it"

// move changes the attempt's phase if the move is legal. It ignores an illegal move and reports it as a bug, so that the bug
// does not end the run. A move to the last phase stops all timers. It reports whether the phase has changed.
func (a *attempt) move(to phase) bool {
	for _, next := range legal[a.phase] {
		if next == to {
			if a.phase <= searching && to > searching {
				a.d.catchUp.looked()
			}
			if a.phase = to; to == ended {
				a.timers.stopAll()
			}
			return true
		}
	}
	a.d.warn(a.id.Step, fmt.Sprintf("attempt %d can't change from %s to %s; %s", a.id.Attempt, a.phase, to, bugNote))
	return false
}

// adopt continues with an existing pod if the pod belongs to the attempt.
func (a *attempt) adopt(p *corev1.Pod) {
	if why := a.foreign(p); why != "" {
		a.fail(record.ClassUser, ReasonConflict, fmt.Sprintf("the pod %s exists and does not belong to this attempt: %s", p.Name, why))
		a.d.strays.take(p)
		return
	}
	listed := a.phase == preparing
	if listed || a.phase == creating {
		a.move(watching)
	}
	if a.pod.uid == "" {
		a.pod.uid, a.pod.began = p.UID, now()
		if at := p.CreationTimestamp.Time; listed && at.Before(a.pod.began) { // by the server's clock, which may be another one
			a.pod.began = at
		}
		a.changed(p)
		a.d.attempts.seen(a)
	} // else the watch has reported the pod first, and its report is newer than the response to the request
	if a.ending.set() {
		a.remove()
	}
}

// ReasonConflict is the reason of an attempt that failed because the name of its pod was taken.
const ReasonConflict = "PodConflict"

// foreign returns why a pod is not the pod of this attempt; "": it is.
func (a *attempt) foreign(p *corev1.Pod) string {
	switch {
	case !ownedBy(p, a.d.o.JobUID):
		return "it belongs to another run, or to no run"
	case p.Annotations[kube.AnnotationStep] != a.id.Step:
		return fmt.Sprintf("it belongs to step %q", p.Annotations[kube.AnnotationStep])
	case p.Labels[kube.LabelAttempt] != fmt.Sprint(a.id.Attempt):
		return "it belongs to attempt " + p.Labels[kube.LabelAttempt]
	case p.Annotations[kube.AnnotationSpec] != a.digest():
		return "it was created from another spec"
	}
	return ""
}

// digest returns the digest of the attempt's pod; "": it was not built.
func (a *attempt) digest() string {
	if b := a.built.Load(); b != nil {
		return b.digest
	}
	return ""
}

// changed handles a change of the pod that the cluster reports.
func (a *attempt) changed(p *corev1.Pod) {
	switch {
	case a.phase == ended || a.pod.gone || a.pod.uid != "" && a.pod.uid != p.UID:
		return
	case a.pod.uid == "":
		if a.digest() == "" || a.foreign(p) != "" {
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

// watch waits for the end of a pod that the watch has reported while the attempt waited for something else.
func (a *attempt) watch() {
	a.move(watching)
	a.boundWait()
	if a.pod.state.Ends() {
		a.read(a.settle)
	}
}

// vanished handles that the pod no longer exists.
func (a *attempt) vanished() {
	if a.phase == ended || a.pod.gone {
		return
	}
	a.pod.gone = true
	a.read(a.settle)
}

// stop ends the attempt because the engine has stopped it.
func (a *attempt) stop(why string) {
	if a.ending.cause != "" {
		return
	}
	a.end(ending{why, a.ending.result})
}

// giveUp ends the attempt because waiting for its pod is of no use. The result counts if the attempt has committed none.
func (a *attempt) giveUp(class record.Class, reason, message string) {
	if a.phase == ended || a.ending.set() {
		return
	}
	r := &record.Result{Status: record.Failed, Class: class, Reason: reason, Message: message}
	a.d.run.Log(record.Event{Type: record.AttemptStopping, Step: a.id.Step, Attempt: a.id.Attempt, Result: r, Reason: reason, Text: message})
	a.end(ending{"", r})
}

// end prevents that the pod is created, and deletes an existing pod.
func (a *attempt) end(why ending) {
	a.ending = why
	a.halt()
	if a.pod.uid != "" {
		a.remove()
	}
}

// halt keeps the pod from being created.
func (a *attempt) halt() {
	if a.maker != nil {
		a.maker.halt()
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
