package kube

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/schema/record"
)

// search looks for a result that the pod of an earlier coordinator may have committed. If there is none, it creates the pod.
func (a *attempt) search() {
	if !a.move(searching) {
		return
	}
	a.fetch(func(r *record.Result) {
		switch {
		case a.phase != searching: // a pod has appeared, and is deleted
		case a.pod.uid != "" && !a.pod.gone: // the watch has reported it meanwhile
			a.watch()
			if r != nil && r.GivenUp {
				a.end(ending{a.ending.cause, r})
			}
		case r != nil || a.ending.result != nil || a.pod.gone:
			a.pod.gone = true
			a.settle(r)
		case a.passed && a.pod.uid == "":
			a.fail(record.ClassInfrastructure, record.ReasonLost, "its pod is gone, and a later attempt of the step was started")
		default:
			a.create()
		}
	})
}

// read reads the committed result of the attempt, and calls then with it; nil: nothing is committed. It does nothing if the
// result is already being read.
func (a *attempt) read(then func(*record.Result)) {
	next := concluding
	switch a.phase {
	case watching:
		next = reading
	case removing, explaining:
	default:
		return
	}
	if a.move(next) {
		a.fetch(then)
	}
}

// fetch reads the result in the background. If the pod left none, fetch saves the end of its log.
func (a *attempt) fetch(then func(*record.Result)) {
	log := a.pod.uid != "" && !a.pod.gone && a.pod.state.Main != nil
	key, claims := a.d.sealKey(a.id), a.claims()
	a.d.reads.do(func(ctx context.Context) func() {
		r, err := a.committed(ctx, key, claims.digest)
		if ctx.Err() != nil {
			return nil
		}
		return func() {
			switch {
			case a.phase == ended:
			case errors.Is(err, errForged):
				a.forgery()
			case err != nil:
				a.settleAs(nil, &record.Result{
					Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonStore,
					Message: "its result can't be read: " + err.Error(),
				})
			case r == nil && log:
				a.saveTail(then)
			default:
				then(r)
			}
		}
	})
}

// saveTail saves the end of the log of a pod that left no result, and then calls then.
func (a *attempt) saveTail(then func(*record.Result)) {
	a.d.tailing.do(func(ctx context.Context) func() {
		log := a.d.tails.save(ctx, a.name, a.task())
		return func() {
			if a.phase != ended {
				a.tail = log
				then(nil)
			}
		}
	})
}

// settle ends the attempt with its committed result and the status of its pod, unless that status may still report the cause.
func (a *attempt) settle(committed *record.Result) { a.settleAs(committed, a.ending.result) }

// settleAs is like settle, with the result that counts if nothing is committed; nil: it follows from the pod.
func (a *attempt) settleAs(committed, otherwise *record.Result) {
	if a.phase >= revoking {
		return
	}
	if otherwise == nil && a.mayExplain(committed) {
		if a.move(explaining) {
			a.timers.start(whyTimer, whyDelay, func() { a.read(a.settle) })
		}
		return
	}
	r := a.result(committed, otherwise)
	if committed == nil && a.mayCommit() {
		if a.move(revoking) {
			a.halt()
			a.revoke(r)
		}
		return
	}
	a.conclude(committed, r)
}

// conclude ends the attempt with a result. committed is what the store contains; nil: nothing.
func (a *attempt) conclude(committed *record.Result, r record.Result) {
	if !a.move(ended) {
		return
	}
	a.halt()
	d := a.d
	d.attempts.settled(a)
	if r.Status != record.Succeeded && a.spec.Def.Retry.AvoidNode {
		r.Node = a.pod.state.Node
	}
	if committed == nil || r.Node != "" || r.Status != committed.Status || r.Class != committed.Class || r.Reason != committed.Reason {
		d.attempts.unlogged.add()
	}
	if p := &a.pod; p.uid != "" && !p.gone && !p.state.Ends() {
		d.groups.Linger(a.name, p.uid, a.spec.Slots)
	}
	if r.Status == record.Succeeded && !(r.ToldToStop && a.ending.cause != "") {
		d.cached.keep(a, &r)
	}
	d.feed(record.Event{Type: record.AttemptEnded, Step: a.id.Step, Attempt: a.id.Attempt, Result: &r})
	d.swept.leave(a)
}

// result returns the result with which the attempt ends.
func (a *attempt) result(committed, otherwise *record.Result) (r record.Result) {
	switch {
	case committed != nil && committed.GivenUp:
		return *committed
	case committed == nil && otherwise != nil:
		r = *otherwise
	case committed == nil && a.ending.cause != "" && a.pod.uid == "":
		r = record.Result{Status: record.Cancelled, Reason: record.ReasonCancelled, Message: a.ending.cause}
	default:
		r = a.verdict(committed)
	}
	at := now()
	r.Version, r.Run, r.Step, r.Attempt = record.Version, a.d.record.Name, a.id.Step, a.id.Attempt
	if committed == nil {
		if r.Log.Segments == 0 {
			r.Log = a.tail
		}
		r.StartedAt, r.EndedAt = firstTime(a.pod.state.Started, a.pod.began, at), at
		if m := a.pod.state.Main; m != nil {
			r.EndedAt = firstTime(m.At, at)
		}
	}
	return r
}

// whyDelay limits the wait for the status of a pod that was ended from outside to report the cause.
const whyDelay = 10 * time.Second

// mayExplain reports whether the status of the pod may still report why the pod was ended: the kubelet reports the end of a
// container before the end of the pod. The attempt waits for that once.
func (a *attempt) mayExplain(committed *record.Result) bool {
	known := committed != nil && !(committed.Class == record.ClassInfrastructure && committed.Reason == record.ReasonShutdown)
	return a.phase == reading && !known && !a.pod.gone && !a.pod.state.Over && !a.ending.set()
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t.UTC()
		}
	}
	return time.Time{}
}
