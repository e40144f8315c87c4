package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// attemptID names an attempt of a run.
type attemptID struct {
	step string
	n    int
}

// driver drives one run. Whoever has an event (an attempt that ended, a timer, a request) gives it to the engine, one at
// a time, and sees to what the engine asks for; the goroutine of an attempt goes on with the attempt that its end has
// set free. That spares a chain of small steps most of the waking of others.
type driver struct {
	o       *Options
	store   store.Store
	run     *record.Run
	program *program.Program
	state   *engine.State
	work    work.Run
	spares  *work.Spares
	project string
	python  string
	secrets secrets
	keyer   *step.Keyer
	memory  *step.Memory
	inherit *step.Inherited
	groups  *groups
	resumed bool // attempts may have been made by a driver before this one

	journal *journal.Journal
	watch   *observer
	running sync.WaitGroup // tasks, and what they leave to be done
	forced  atomic.Bool
	over    chan struct{} // closed when the run has ended
	asked   chan struct{} // told when an approval asks: there may be an answer already

	turn    sync.Mutex // guards the engine's state and all that follows, to the empty line
	timers  []*time.Timer
	seq     int64
	last    time.Time // of the last event: times don't go back in a log
	kills   map[attemptID]context.CancelCauseFunc
	asks    map[string]string // steps that have asked, by record.AnswerName
	tasks   []task            // that the event at hand asks for
	stopped bool              // something was stopped: look for what is left of it
	closed  bool              // no more events are taken
	end     *record.End

	mu       sync.Mutex
	slots    map[string]cache.Slot // by step
	uncached sync.Once             // said that results can't be cached
	left     []string              // small steps that have succeeded, and whose places were not looked at yet
	later    []func()              // what nobody waits for
}

// errGone is the cause for attempts whose run isn't this driver's any more.
var errGone = fmt.Errorf("the run was taken over: %w", step.ErrShutdown)

// task is what takes time: an attempt, or a question to the cache. It returns the event that it ends with, and what is
// left to be done after that; nil: nothing. An event without a type is none.
type task func() (e record.Event, rest func())

// feed gives the engine an event, and lets what it asks for be done.
func (d *driver) feed(ctx context.Context, e record.Event) { d.launch(ctx, d.take(ctx, e)) }

// take gives the engine an event, and returns the tasks that it asks for, which the caller sees to.
func (d *driver) take(ctx context.Context, e record.Event) []task {
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.closed || d.end != nil || e.Type == "" {
		return nil
	}
	if e.Type == record.AttemptEnded {
		d.ended(e)
	}
	for _, a := range d.fold(&e, true) {
		d.act(ctx, a)
	}
	return d.taken()
}

// do sees to actions that the engine asked for earlier.
func (d *driver) do(ctx context.Context, actions []engine.Action) {
	d.turn.Lock()
	for _, a := range actions {
		d.act(ctx, a)
	}
	tasks := d.taken()
	d.turn.Unlock()
	d.launch(ctx, tasks)
}

// taken are the tasks at hand, which count as running from now on.
func (d *driver) taken() []task {
	tasks := d.tasks
	d.tasks = nil
	d.running.Add(len(tasks))
	return tasks
}

func (d *driver) launch(ctx context.Context, tasks []task) {
	for _, t := range tasks {
		go d.perform(ctx, t)
	}
}

// perform does a task, and then one of those that its end asks for.
func (d *driver) perform(ctx context.Context, t task) {
	for {
		e, rest := t()
		next := d.take(ctx, e)
		if len(next) == 0 {
			d.catchUp()
		}
		if rest == nil {
			d.running.Done()
		} else {
			go func() {
				defer d.running.Done()
				rest()
			}()
		}
		if len(next) == 0 {
			return
		}
		t = next[0]
		d.launch(ctx, next[1:])
	}
}

// fold completes the event, gives it to the engine, and tells of it where it is new.
func (d *driver) fold(e *record.Event, fresh bool) []engine.Action {
	if fresh {
		d.seq++
		e.Version, e.Seq, e.Run = record.Version, d.seq, d.run.Name
		if e.At.IsZero() {
			e.At = now()
		}
		if e.At.Before(d.last) {
			e.At = d.last
		}
		d.journal.Add(e)
		d.watch.event(*e)
	}
	d.seq, d.last = max(d.seq, e.Seq), e.At
	var actions []engine.Action
	d.state, actions = engine.Next(d.state, *e)
	return actions
}

func (d *driver) act(ctx context.Context, a engine.Action) {
	switch a := a.(type) {
	case engine.StartAttempt:
		d.tasks = append(d.tasks, d.start(ctx, a.Spec))
	case engine.CheckCache:
		d.tasks = append(d.tasks, d.checkCache(ctx, a.Spec))
	case engine.EnterGroup:
		d.tasks = append(d.tasks, d.groups.enter(ctx, a))
	case engine.LeaveGroup:
		d.groups.leave(a.Hold)
	case engine.StopAttempt:
		d.stopped = true
		if kill := d.kills[attemptID{a.Step, a.Attempt}]; kill != nil {
			kill(nil)
		}
	case engine.Ask:
		d.ask(a)
	case engine.SetTimer:
		e := record.Event{Type: record.TimerFired, Timer: a.Name}
		d.timers = append(d.timers, time.AfterFunc(time.Until(a.At), func() { d.feed(ctx, e) }))
	case engine.Notify:
		d.watch.event(a.Event)
	case engine.End:
		d.end = &a.End
		close(d.over)
	}
}

// drive drives the run to its end, after begin has done what comes first. Without an end there is an error.
func (d *driver) drive(ctx context.Context, requests *work.Requests, begin func(context.Context)) (*record.End, error) {
	// Attempts are ended one by one, as the engine says: finally's are still started when ctx has ended.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	begin(inner)
	err := d.loop(ctx, inner, requests)
	stop() // questions to the cache that nobody waits for any more
	if err != nil {
		d.abandon()
		return nil, fmt.Errorf("run %s: %w", d.run.Name, err)
	}
	if err := d.finish(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	return d.end, nil
}

// loop goes on until the run has ended, or isn't this driver's any more. The run is cancelled when ctx ends; attempts
// live as long as inner.
func (d *driver) loop(ctx, inner context.Context, requests *work.Requests) error {
	defer d.shut()
	cancelled, force := ctx.Done(), d.o.Force
	for {
		select {
		case <-d.over:
			return nil
		case <-cancelled:
			cancelled = nil
			d.cancel(inner)
		case <-requests.Cancel:
			d.cancel(inner)
		case <-requests.Answers:
			d.answers(inner)
		case <-d.asked:
			d.answers(inner)
		case <-force:
			force, cancelled = nil, nil
			d.forced.Store(true)
			d.cancel(inner)
			d.cancel(inner)
			d.watch.drop()
			if err := d.work.Kill(); err != nil {
				return err
			}
		case <-d.journal.Taken():
			return journal.ErrTakenOver
		}
	}
}

// shut takes no more events.
func (d *driver) shut() {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.closed = true
	for _, t := range d.timers {
		t.Stop()
	}
}

// cancel asks the engine to cancel the run, and makes sure that it is known soon.
func (d *driver) cancel(ctx context.Context) {
	d.feed(ctx, record.Event{Type: record.CancelRequested})
	go func() { _ = d.journal.Flush() }()
}

func (d *driver) ended(e record.Event) {
	id := attemptID{e.Step, e.Attempt}
	if kill := d.kills[id]; kill != nil {
		kill(nil)
		delete(d.kills, id)
	}
	if e.Result != nil && (e.Result.Status == record.TimedOut || e.Result.Status == record.Cancelled) {
		d.stopped = true
	}
}

// abandon ends what this driver has started, and leaves the run's records alone.
func (d *driver) abandon() {
	d.journal.Stop()
	d.watch.drop()
	for _, kill := range d.kills {
		kill(errGone)
	}
	d.running.Wait()
	_ = d.work.Kill()
	d.groups.shut()
	d.watch.close()
}

// finish records the end of the run.
func (d *driver) finish(ctx context.Context) error {
	var killErr error
	if d.stopped {
		killErr = d.work.Kill()
	}
	d.running.Wait()
	d.catchUp()
	d.running.Wait() // for what that has left
	err := d.record(ctx)
	if err != nil && !errors.Is(err, journal.ErrTakenOver) {
		// Mostly the disk is full. What failed attempts left is worth less than the record of the run.
		for _, name := range d.work.Steps() {
			_ = work.Remove(d.work.Step(name))
		}
		err = d.record(ctx)
	}
	if err != nil {
		d.watch.close()
		return fmt.Errorf("the end of run %s (%s) could not be recorded: %w", d.run.Name, describe(d.end), err)
	}
	d.watch.event(record.Event{Version: record.Version, Type: record.RunEnded, At: d.end.At, Run: d.run.Name, RunEnd: d.end})
	d.watch.close()
	return killErr
}

// describe says how a run ended, in a few words.
func describe(end *record.End) string {
	if end.Message == "" {
		return string(end.Status)
	}
	return string(end.Status) + ": " + end.Message
}

// record writes the rest of the log, and then the end.
func (d *driver) record(ctx context.Context) error {
	if err := d.journal.Flush(); err != nil {
		return err
	}
	err := store.WriteJSON(ctx, d.store, d.run.EndKey(), d.end, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return journal.ErrTakenOver
	}
	return err
}
