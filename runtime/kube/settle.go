package kube

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// readThen reads what the attempt has committed (nil: nothing), once, and then does what follows from it.
func (d *driver) readThen(a *attempt, then func(*record.Result)) {
	if a.reading || a.over {
		return
	}
	a.reading = true
	pod, log := a.name, a.uid != "" && !a.gone && a.state.Main != nil
	d.async(func(ctx context.Context) func() {
		r, err := d.committed(ctx, a)
		if ctx.Err() != nil {
			return nil
		}
		var tail record.Log
		if r == nil && err == nil && log {
			tail = d.saveTail(ctx, pod, a.step)
		}
		return func() {
			a.reading = false
			switch {
			case a.over:
			case err != nil:
				a.result = &record.Result{
					Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonStore,
					Message: "its result can't be read: " + err.Error(),
				}
				then(nil)
			default:
				if r == nil && a.result != nil {
					a.result.Log = tail
				} else if r == nil {
					a.tail = tail
				}
				then(r)
			}
		}
	})
}

func (d *driver) committed(ctx context.Context, a *attempt) (*record.Result, error) {
	d.reading <- struct{}{}
	defer func() { <-d.reading }()
	r, err := store.ReadJSON[record.Result](ctx, d.store, a.step.ResultKey())
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// settle ends an attempt as what it has committed and its pod say.
func (d *driver) settle(a *attempt, committed *record.Result) {
	if a.over || d.tooSoon(a, committed) {
		return
	}
	var r record.Result
	switch {
	case committed == nil && a.result != nil:
		r = *a.result
	case committed == nil && a.cause != "" && a.uid == "":
		r = record.Result{Status: record.Cancelled, Reason: record.ReasonCancelled, Message: a.cause}
	default:
		r = podstate.Verdict(committed, &a.state, a.gone)
	}
	at := now()
	r.Version, r.Run, r.Step, r.Attempt = record.Version, d.run.Name, a.id.step, a.id.n
	if committed == nil {
		if r.Log.Segments == 0 {
			r.Log = a.tail
		}
		r.StartedAt, r.EndedAt = firstTime(a.state.Started, a.began, at), at
		if m := a.state.Main; m != nil {
			r.EndedAt = firstTime(m.At, at)
		}
	}
	a.over = true
	if a.pending != nil {
		a.pending.Stop()
	}
	delete(d.attempts, a.id)
	delete(d.byPod, a.name)
	d.groups.settled(a)
	if r.Status == record.Succeeded && !(r.ToldToStop && a.cause != "") {
		d.keep(a, &r)
	}
	d.feed(record.Event{Type: record.AttemptEnded, Step: a.id.step, Attempt: a.id.n, Result: &r})
	d.leavePod(a)
}

// whyDelay is how long a pod that was ended from outside may take to say why.
const whyDelay = 10 * time.Second

// tooSoon says whether the pod may yet say why it was ended: the kubelet tells of a container's end before it tells of
// the pod's.
func (d *driver) tooSoon(a *attempt, committed *record.Result) bool {
	known := committed != nil && !(committed.Class == record.ClassInfrastructure && committed.Reason == record.ReasonShutdown)
	if known || a.waited || a.gone || a.state.Over || a.uid == "" || a.result != nil || a.cause != "" {
		return false
	}
	a.waited = true
	d.after(whyDelay, func() { d.readThen(a, func(r *record.Result) { d.settle(a, r) }) })
	return true
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t.UTC()
		}
	}
	return time.Time{}
}
