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
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// driver carries out what the engine asks for. All that it knows is owned by its loop.
type driver struct {
	*loop
	o       *Options
	client  *kubeclient.Client
	store   store.Store
	program *program.Program
	record  *record.Run
	run     *drive.Run
	resumed bool // attempts may have been made by a coordinator before this one

	requests *requests.Requests
	reading  chan struct{} // held while a result is read

	queue    []record.Event // the events that wait until the actions in hand are carried out
	acting   bool           // actions are being carried out
	attempts *attempts
	tails    *tails
	cached   *cached
	commands *commands
	swept    *sweeper
	groups   *groups.Groups
	watches  *watches
}

func newDriver(o *Options, p *program.Program) *driver {
	d := &driver{
		loop: newLoop(), o: o, client: o.Client, store: o.Store, program: p,
		requests: requests.New(o.pace), reading: make(chan struct{}, reads), tails: &tails{o.Store, o.Client},
	}
	d.requests.Steady = o.Steady
	d.attempts, d.cached, d.swept = newAttempts(d), &cached{d: d, slots: map[string]cache.Slot{}}, &sweeper{d: d}
	d.commands, d.watches = newCommands(d), &watches{d: d, blind: map[string]bool{}}
	d.groups = groups.New(&groups.Options{
		Client: o.Client, Requests: d.requests, Project: p.Project, Namespace: o.Namespace, Job: o.Job, JobUID: o.JobUID, Pace: o.pace,
	}, groupHost{d})
	return d
}

// config returns what the run is driven with.
func (d *driver) config() drive.Config {
	return drive.Config{Store: d.store, Program: d.program, Record: d.record, Observe: d.tell, LogDelay: logDelay}
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
	for d.run.End() == nil {
		select {
		case f := <-d.inbox:
			f()
		case <-d.run.Taken():
			return nil, ErrTakenOver
		case <-lost:
			return nil, ErrTakenOver
		case <-ctx.Done():
			_ = d.run.Flush() // what is in the log the next coordinator need not find out
			return nil, ErrStopped
		}
	}
	return d.finish(ctx)
}

// finish records the end of the run.
func (d *driver) finish(ctx context.Context) (*record.End, error) {
	if err := d.run.Flush(); err != nil {
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

// feed passes an event to the run, and carries out the actions that follow. While actions are being carried out, events
// wait until all of them are.
func (d *driver) feed(e record.Event) {
	d.queue = append(d.queue, e)
	if !d.acting {
		d.act(nil)
	}
}

// act carries out actions, and then takes the events that wait.
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
		err := d.run.Flush()
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

// tell writes an event for those who observe the run. Nothing depends on them.
func (d *driver) tell(e record.Event) {
	if data, err := store.EncodeJSON(&e); err == nil && d.o.Out != nil {
		_, _ = d.o.Out.Write(data)
	}
}

// warn reports what the run continues without.
func (d *driver) warn(step, text string) {
	d.tell(drive.Complete(d.record, record.Event{Type: record.Warned, Step: step, Text: text}))
}
