package kube

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/groups"
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/spill"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// driver carries out the engine's actions. Its state is owned by its loop.
type driver struct {
	*loop
	o       *Options
	client  *kubeclient.Client
	store   store.Store
	loaded  *Loaded
	program *program.Program // that was loaded
	record  *record.Run
	run     *drive.Run
	renamed renamed
	resumed bool // earlier coordinators may have made attempts

	requests *requests.Requests
	fence    *fence

	builds  *pool // of pods, before they are created
	creates *pool // requests to create pods
	deletes *pool // requests to delete pods
	reads   *pool // of results
	tailing *pool // saves the ends of logs
	revokes *pool // commits results of attempts that are given up

	queue    []record.Event // the events that wait until the current actions are carried out
	acting   bool           // actions are being carried out
	attempts *attempts
	tails    *tails
	cached   *cached
	commands *commands
	catchUp  *catchUp
	swept    *sweeper
	strays   *strays
	groups   *groups.Groups
	watches  *watches
}

func newDriver(o *Options, l *Loaded) *driver {
	p := l.program
	d := &driver{
		loop: newLoop(), o: o, client: o.Client, store: o.Store, loaded: l, program: p,
		requests: requests.New(o.pace), tails: &tails{o.Store, o.Client},
	}
	d.requests.Steady = o.Steady
	d.builds, d.creates, d.deletes = newPool(d.loop, changes), newPool(d.loop, changes), newPool(d.loop, changes)
	d.reads, d.tailing, d.revokes = newPool(d.loop, reads), newPool(d.loop, saves), newPool(d.loop, reads)
	d.attempts, d.cached, d.swept, d.strays = newAttempts(d), &cached{d: d, keys: map[string]cache.Key{}}, newSweeper(d), newStrays(d)
	d.commands, d.catchUp, d.watches = newCommands(d), &catchUp{d: d, over: true}, &watches{d: d, blind: map[string]bool{}}
	d.groups = groups.New(&groups.Options{
		Client: o.Client, Requests: d.requests, Project: p.Project, Namespace: o.Namespace, Job: o.Job, JobUID: o.JobUID, Pace: o.pace,
	}, groupHost{d})
	return d
}

// config returns the configuration of the driven run.
func (d *driver) config() drive.Config {
	return drive.Config{Store: d.store, Program: d.program, Record: d.record, Observe: d.observe, Values: spill.New(""), LogDelay: logDelay}
}

// drive drives the run to its end. lost is closed when another coordinator has taken the Lease.
func (d *driver) drive(ctx context.Context, lost <-chan struct{}) (*record.End, error) {
	ctx, stop := context.WithCancel(ctx)
	d.ctx = ctx
	defer func() {
		stop()
		d.working.Wait()
		d.run.Close()
	}()
	d.async(func(ctx context.Context) func() {
		if err := index(ctx, d.store, d.record); err != nil {
			return func() { d.warn("", "the run can't be entered in the list of runs: "+err.Error()) }
		}
		return nil
	})
	if err := d.watches.start(ctx); err != nil {
		return nil, err
	}
	d.groups.Resume(d.run.Open(), d.attempts.listed)
	d.act(d.run.Start())
	d.attempts.resumed()
	if d.resumed {
		d.catchUp.begin()
	}
	if err := d.until(ctx, lost, func() bool { return d.run.End() != nil }); err != nil {
		return nil, err
	}
	if err := d.clear(ctx, lost); err != nil {
		return nil, err
	}
	return d.finish(ctx)
}

// until runs the loop until there is what it waits for.
func (d *driver) until(ctx context.Context, lost <-chan struct{}, done func() bool) error {
	for !done() {
		select {
		case f := <-d.inbox:
			f()
		case <-d.run.Taken():
			return ErrTakenOver
		case <-lost:
			return ErrTakenOver
		case <-ctx.Done():
			// What is in the log the next coordinator need not find out. There is little time for it.
			stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), logWait)
			defer cancel()
			_ = d.run.FlushContext(stopping)
			return ErrStopped
		}
	}
	return nil
}

// clearLimit limits how long the end of a run waits until the pods that are not needed are deleted.
const clearLimit = time.Minute

// clear deletes the pods that a run no longer needs after its end, before the end is recorded.
func (d *driver) clear(ctx context.Context, lost <-chan struct{}) error {
	d.strays.clear()
	d.swept.finish()
	over := false
	limit := d.after(clearLimit, func() { over = true })
	defer limit.Stop()
	return d.until(ctx, lost, func() bool { return over || d.swept.open == 0 && !d.strays.busy() })
}

// finish records the end of the run.
func (d *driver) finish(ctx context.Context) (*record.End, error) {
	if err := d.run.FlushContext(ctx); err != nil {
		return nil, err
	}
	if err := index(ctx, d.store, d.record); err != nil {
		return nil, err
	}
	d.groups.Settle(ctx)
	if err := d.run.Finish(ctx); err != nil {
		return nil, err
	}
	return d.run.End(), nil
}

// feed passes an event to the run, and carries out the actions that follow. If actions are being carried out, the event waits
// until all of them are done.
func (d *driver) feed(e record.Event) {
	d.queue = append(d.queue, e)
	if !d.acting {
		d.act(nil)
	}
}

// act carries out actions, and then passes the waiting events to the run.
func (d *driver) act(actions []engine.Action) {
	d.acting = true
	for {
		for _, a := range actions {
			d.do(a)
		}
		if len(d.queue) == 0 {
			break
		}
		actions = d.run.Take(d.queue[0])
		d.queue = d.queue[1:]
	}
	d.acting = false
}

// do carries out one action.
func (d *driver) do(a engine.Action) {
	switch a := a.(type) {
	case engine.StartAttempt:
		d.attempts.start(a.Spec)
	case engine.StopAttempt:
		d.attempts.stop(record.AttemptID{Step: a.Step, Attempt: a.Attempt}, a.Why)
	case engine.CheckCache:
		d.cached.check(a.Spec)
	case engine.RequestSlot:
		d.groups.Request(a)
	case engine.ReleaseSlot:
		d.groups.Release(a.Slot)
	case engine.RequestApproval:
		d.commands.ask(a)
	case engine.SetTimer:
		d.after(time.Until(a.At), func() { d.feed(record.Event{Type: record.TimerFired, Timer: a.Name}) })
	}
}

// logged waits until everything that has happened so far is in the run's log. It reports false if ctx has ended or another
// coordinator drives the run. It is safe for concurrent use.
func (d *driver) logged(ctx context.Context) bool {
	wait := d.requests.BackOff()
	for {
		err := d.run.FlushContext(ctx)
		if err == nil {
			return ctx.Err() == nil
		}
		if errors.Is(err, ErrTakenOver) {
			return false
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}

// observe takes in an event or a notification of the run.
func (d *driver) observe(e record.Event) {
	d.tell(e)
	if e.Type == record.StepEnded {
		d.strays.ended(e.Step)
	}
}

// tell notifies the observers of the run of an event. Errors of writing it are ignored.
func (d *driver) tell(e record.Event) {
	e.RunEnd = shortened(e.RunEnd)
	if data, err := store.EncodeJSON(&e); err == nil && d.o.Out != nil {
		_, _ = d.o.Out.Write(data)
	}
}

// warn reports an error that does not stop the run.
func (d *driver) warn(step, text string) {
	d.tell(drive.Complete(d.record, record.Event{Type: record.Warned, Step: step, Text: text}))
}
