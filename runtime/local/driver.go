package local

import (
	"context"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/record"
)

// driver carries out the engine's actions. Each goroutine with an event (the end of an attempt, a timer, a request) passes it
// to the run under mu. The goroutine of an attempt then continues with an attempt that the end of the first one has made ready,
// so that a chain of small steps wakes few other goroutines.
type driver struct {
	*scene
	attempts *attempts
	cached   *cached
	slots    *slots
	answers  *answers
	running  sync.WaitGroup // tasks, and the work that they return
	over     chan struct{}  // closed when the run has ended

	mu      sync.Mutex // guards scene.run (see drive.Run), attempts.kills, answers.asked, and all that follows
	timers  []*time.Timer
	stopped bool // an attempt was stopped, and some of its processes may still run
	closed  bool // no more events are taken
}

// task is work that takes time: an attempt, or a query of the cache. It returns the event that it ends with, and the work
// to do after that; nil: nothing. An event without a type is ignored.
type task func() (e record.Event, rest func())

func newDriver(s *scene) *driver {
	d := &driver{scene: s, over: make(chan struct{})}
	d.cached = newCached(s)
	d.slots = newSlots(s)
	d.answers = newAnswers(s)
	d.attempts = newAttempts(s, d.slots, d.cached)
	return d
}

// start starts or resumes the run.
func (d *driver) start(ctx context.Context) {
	d.mu.Lock()
	tasks := d.act(ctx, d.run.Start())
	d.mu.Unlock()
	d.launch(ctx, tasks)
}

// feed passes an event to the run, and starts the tasks that follow.
func (d *driver) feed(ctx context.Context, e record.Event) { d.launch(ctx, d.take(ctx, e)) }

// take passes an event to the run, and returns the tasks that follow. The caller must perform them.
func (d *driver) take(ctx context.Context, e record.Event) []task {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || e.Type == "" {
		return nil
	}
	if e.Type == record.AttemptEnded {
		d.attempts.ended(e)
		d.stopped = d.stopped || e.Result != nil && (e.Result.Status == record.TimedOut || e.Result.Status == record.Cancelled)
	}
	return d.act(ctx, d.run.Take(e))
}

// act carries out actions, and returns those that are tasks, which count as running from now on. The caller must hold mu.
func (d *driver) act(ctx context.Context, actions []engine.Action) []task {
	var tasks []task
	for _, a := range actions {
		switch a := a.(type) {
		case engine.StartAttempt:
			tasks = append(tasks, d.attempts.start(ctx, a.Spec))
		case engine.StopAttempt:
			d.stopped = true
			d.attempts.stop(record.AttemptID{Step: a.Step, Attempt: a.Attempt})
		case engine.CheckCache:
			tasks = append(tasks, d.cached.check(ctx, a.Spec))
		case engine.RequestSlot:
			tasks = append(tasks, d.slots.request(ctx, a))
		case engine.ReleaseSlot:
			d.slots.release(a.Slot)
		case engine.RequestApproval:
			d.answers.ask(a)
		case engine.SetTimer:
			e := record.Event{Type: record.TimerFired, Timer: a.Name}
			d.timers = append(d.timers, time.AfterFunc(time.Until(a.At), func() { d.feed(ctx, e) }))
		}
	}
	if d.run.End() != nil {
		d.end()
	}
	d.running.Add(len(tasks))
	return tasks
}

// end notes that the run has ended. The caller must hold mu.
func (d *driver) end() {
	select {
	case <-d.over:
	default:
		close(d.over)
	}
}

func (d *driver) launch(ctx context.Context, tasks []task) {
	for _, t := range tasks {
		go d.perform(ctx, t)
	}
}

// perform performs a task, and then one of the tasks that follow from its end.
func (d *driver) perform(ctx context.Context, t task) {
	for {
		e, rest := t()
		next := d.take(ctx, e)
		if len(next) == 0 {
			d.chores.catchUp()
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

// answer passes the answer to an approval to the run, if the approval can be answered now.
func (d *driver) answer(ctx context.Context, step string, a *record.Answer) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return &engine.NotPendingError{Step: step}
	}
	if err := d.run.CheckAnswer(step, a); err != nil {
		d.mu.Unlock()
		return err
	}
	tasks := d.act(ctx, d.run.Take(record.Event{Type: record.ApprovalGiven, Step: step, Answer: a}))
	d.mu.Unlock()
	d.launch(ctx, tasks)
	return nil
}

// cancel passes a request to cancel to the run, and makes sure that it is written to the log soon.
func (d *driver) cancel(ctx context.Context) {
	d.feed(ctx, record.Event{Type: record.CancelRequested})
	go func() { _ = d.run.Flush() }()
}

// shut makes the driver reject all further events.
func (d *driver) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, t := range d.timers {
		t.Stop()
	}
}

// now returns the current time as records contain it.
func now() time.Time { return drive.Now() }
