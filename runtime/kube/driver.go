package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/kube/groups"
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// attemptID names an attempt of the run.
type attemptID struct {
	step string
	n    int
}

// driver drives one run. All that it knows belongs to its loop: others do what takes time, and leave what follows from it
// in the inbox.
type driver struct {
	o       *Options
	client  *kubeclient.Client
	store   store.Store
	program *program.Program
	run     *record.Run
	resumed bool // attempts may have been made by a coordinator before this one

	ctx      context.Context // of all that the loop has started
	inbox    chan func()
	working  sync.WaitGroup
	requests *requests.Requests
	reading  chan struct{} // held while a result is read
	journal  *journal.Journal

	state    *engine.State
	queue    []record.Event // that are still to be given to the engine
	feeding  bool
	seq      int64
	last     time.Time // of the last event: times don't go back in a log
	attempts *attempts
	tails    *tails
	cached   *cached
	cancels  map[string]bool // the cancel annotations that were seen
	gates    gates
	blind    map[string]bool
	swept    *sweeper
	groups   *groups.Groups
	end      *record.End
}

func newDriver(o *Options, p *program.Program) *driver {
	d := &driver{
		o: o, client: o.Client, store: o.Store, program: p,
		inbox: make(chan func(), 256), requests: requests.New(o.pace), reading: make(chan struct{}, reads), tails: &tails{o.Store, o.Client},
		cancels: map[string]bool{}, gates: newGates(), blind: map[string]bool{},
	}
	d.attempts, d.cached, d.swept = newAttempts(d), &cached{d: d, slots: map[string]cache.Slot{}}, &sweeper{d: d}
	d.groups = groups.New(&groups.Options{
		Client: o.Client, Requests: d.requests, Project: p.Project, Namespace: o.Namespace, Job: o.Job, JobUID: o.JobUID, Pace: o.pace,
	}, groupHost{d})
	return d
}

// open begins to write the run's log at a segment.
func (d *driver) open(segment int64) { d.journal = journal.New(d.store, d.run, segment, logDelay) }

// drive goes on until the run has ended. begin is called when the pods that are there are known, as far as there can be
// any.
func (d *driver) drive(ctx context.Context, lease *lease, begin func()) (*record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	d.ctx = ctx
	defer func() {
		stop()
		d.working.Wait()
		d.journal.Close()
	}()
	d.async(func(ctx context.Context) func() {
		if err := d.index(ctx); err != nil {
			return func() { d.warn("", "the run can't be entered in the list of runs: "+err.Error()) }
		}
		return nil
	})
	if err := d.watch(ctx); err != nil {
		return nil, err
	}
	begin()
	d.attempts.resumed()
	for d.end == nil {
		select {
		case f := <-d.inbox:
			f()
		case <-d.journal.Taken():
			return nil, ErrTakenOver
		case <-lease.lost:
			return nil, ErrTakenOver
		case <-ctx.Done():
			d.handOver()
			return nil, ErrStopped
		}
	}
	return d.finish(ctx)
}

// watch begins to watch. Where pods may be there from before, it returns when they are known.
func (d *driver) watch(ctx context.Context) error {
	synced := make(chan struct{})
	d.working.Go(func() {
		d.client.WatchPods(ctx, kube.LabelRunUID+"="+d.o.JobUID, kubeclient.Watcher[*corev1.Pod]{
			Changed: func(p *corev1.Pod) { d.post(func() { d.podChanged(p) }) },
			Gone:    func(p *corev1.Pod) { d.post(func() { d.podGone(p) }) },
			Synced:  func() { close(synced) },
			Fault:   func(err error) { d.post(func() { d.fault("pods", err) }) },
		})
	})
	d.working.Go(func() {
		d.client.WatchJob(ctx, d.o.Job, kubeclient.Watcher[*batchv1.Job]{
			Changed: func(j *batchv1.Job) { d.post(func() { d.jobChanged(j) }) },
			Gone:    func(*batchv1.Job) {},
			Fault:   func(err error) { d.post(func() { d.fault("jobs", err) }) },
		})
	})
	if !d.resumed {
		return nil
	}
	for {
		select {
		case <-synced:
			// What was told of the pods is in the inbox, in front of all that follows.
			for range len(d.inbox) {
				(<-d.inbox)()
			}
			return nil
		case f := <-d.inbox:
			f()
		case <-ctx.Done():
			return ErrStopped
		}
	}
}

// post leaves something to be done by the loop, unless that has ended.
func (d *driver) post(f func()) {
	select {
	case d.inbox <- f:
	case <-d.ctx.Done():
	}
}

// async does what takes time beside the loop, and has the loop do what it returns; nil: nothing.
func (d *driver) async(work func(context.Context) func()) {
	d.working.Go(func() {
		if f := work(d.ctx); f != nil {
			d.post(f)
		}
	})
}

// after has the loop do something later.
func (d *driver) after(wait time.Duration, f func()) *time.Timer {
	return time.AfterFunc(max(wait, 0), func() { d.post(f) })
}

// feed gives the engine an event, and does what it asks for. What is fed meanwhile comes next.
func (d *driver) feed(e record.Event) {
	d.queue = append(d.queue, e)
	if d.feeding {
		return
	}
	d.feeding = true
	for len(d.queue) > 0 {
		e := d.number(d.queue[0])
		d.queue = d.queue[1:]
		if d.end != nil {
			continue
		}
		d.journal.Add(e)
		d.tell(*e)
		var actions []engine.Action
		d.state, actions = engine.Next(d.state, *e)
		for _, a := range actions {
			d.act(a)
		}
	}
	d.feeding = false
}

// number completes an event that is new.
func (d *driver) number(e record.Event) *record.Event {
	d.seq++
	e.Version, e.Seq, e.Run = record.Version, d.seq, d.run.Name
	if e.At.IsZero() {
		e.At = now()
	}
	if e.At.Before(d.last) {
		e.At = d.last
	}
	d.last = e.At
	return &e
}

func (d *driver) act(a engine.Action) {
	switch a := a.(type) {
	case engine.StartAttempt:
		d.attempts.start(a.Spec)
	case engine.CheckCache:
		d.cached.check(a.Spec)
	case engine.EnterGroup:
		d.groups.Enter(a)
	case engine.LeaveGroup:
		d.groups.Leave(a.Hold)
	case engine.StopAttempt:
		d.attempts.stop(attemptID{a.Step, a.Attempt}, a.Why)
	case engine.Ask:
		d.approval(a)
	case engine.SetTimer:
		d.after(time.Until(a.At), func() { d.feed(record.Event{Type: record.TimerFired, Timer: a.Name}) })
	case engine.Notify:
		if a.Type == record.StepAsks {
			d.tellAsk(a.Event)
			return
		}
		d.tell(a.Event)
	case engine.End:
		d.end = &a.End
	}
}

// jobChanged looks for commands.
func (d *driver) jobChanged(j *batchv1.Job) {
	if string(j.UID) != d.o.JobUID {
		return
	}
	if at := j.Annotations[kube.AnnotationCancel]; at != "" && !d.cancels[at] {
		d.cancels[at] = true
		d.feed(record.Event{Type: record.CancelRequested, Text: at})
	}
	d.answersChanged(j.Annotations)
}

// podChanged takes in a pod of the run as the cluster reports it.
func (d *driver) podChanged(p *corev1.Pod) {
	d.groups.Pod(p, false)
	d.attempts.podChanged(p)
}

// podGone takes in that a pod of the run doesn't exist any more.
func (d *driver) podGone(p *corev1.Pod) {
	d.groups.Pod(p, true)
	d.attempts.podGone(p)
}

// fault tells of what can't be seen, once, and of its end.
func (d *driver) fault(what string, err error) {
	switch {
	case err != nil && !d.blind[what]:
		d.blind[what] = true
		d.warn("", fmt.Sprintf("the coordinator can't watch its %s: %s", what, err))
	case err == nil && d.blind[what]:
		delete(d.blind, what)
	}
}

// handOver writes what the next coordinator is spared to find out.
func (d *driver) handOver() {
	_ = d.journal.Flush()
}

// finish records the end of the run.
func (d *driver) finish(ctx context.Context) (*record.End, error) {
	if err := d.journal.Flush(); err != nil {
		return nil, err
	}
	if err := d.index(ctx); err != nil {
		return nil, err
	}
	d.groups.Settle(ctx)
	err := store.WriteJSON(ctx, d.store, d.run.EndKey(), d.end, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return nil, ErrTakenOver
	}
	if err != nil {
		return nil, fmt.Errorf("the end of the run (%s) can't be recorded: %w", d.end.Status, err)
	}
	d.tellEnd(d.end)
	return d.end, nil
}
