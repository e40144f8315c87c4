// Package drive owns the state of a run while it is driven: the engine, the numbers and times of events, the log, the
// notification of observers, and the end. It starts a run, or takes over one whose driver is gone.
//
// It starts no process and no pod, sets no timer, and decides nothing about the run (runtime/engine does). A driver
// (runtime/local, runtime/kube) passes it what has happened, and carries out the actions that it returns.
//
// A *Run is not safe for concurrent use: the driver serializes its calls, with a mutex or from one goroutine. The
// exceptions are Flush, FlushContext, Taken, Behind, Report and Warn, which are safe for concurrent use.
package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// ErrTakenOver means that another process drives the run.
var ErrTakenOver = journal.ErrTakenOver

// Config is what a run is driven with.
type Config struct {
	Store   store.Store
	Program *program.Program
	Record  *record.Run
	// Observe is called with each event and each notification of the engine, in order; nil if the run is not observed. It
	// must not block, and it must be safe for concurrent use if Report or Warn are called concurrently.
	Observe func(record.Event)
	// Values keeps the values of outputs; nil: they stay where they are.
	Values Values
	// LogDelay is how long an event may wait until it is written to the log together with others.
	LogDelay time.Duration
}

// Values keeps values of outputs elsewhere than on the heap. A *spill.File is one.
type Values interface {
	// Keep returns a value with the same bytes.
	Keep([]byte) []byte
	// Release gives back memory that reading kept values has taken.
	Release()
}

// Run is a run that this process drives.
type Run struct {
	c       Config
	fold    *history.Fold  // of all events so far; nil after Start
	kept    []record.Event // StepKept, of a rerun: they precede all other events
	state   *engine.State
	journal *journal.Journal
	seq     int64
	last    time.Time               // of the last event; times in a log don't decrease
	asks    map[string]record.Event // StepAsks notifications that wait for Announce, by step
	end     *record.End
}

// Begin returns a run that has not started. A rerun starts with kept, the StepKept events that Start.Prepare returns. Begin
// writes nothing. The error is a *Refusal if the program can't be run.
func Begin(c Config, kept []record.Event) (*Run, error) {
	fold, err := history.NewFold(c.Program, c.Record)
	if err != nil {
		return nil, refuse(RefusedProgram, "the program can't be run: %s", err)
	}
	return newRun(c, fold, kept), nil
}

// Resume returns a run in the state that its log ends with. Observers are notified of all that is in the log. It calls
// each, which may be nil, with each event of the log. It writes nothing: a driver that may still be alive notices the
// takeover when this process has flushed the log. The error is a *Refusal if the program can't be run.
func Resume(ctx context.Context, c Config, each func(*record.Event)) (*Run, error) {
	fold, err := history.NewFold(c.Program, c.Record)
	if err != nil {
		return nil, refuse(RefusedProgram, "the program can't be run: %s", err)
	}
	kept, err := history.RerunEvents(ctx, c.Store, c.Record)
	if err != nil {
		return nil, err
	}
	r := newRun(c, fold, kept)
	fold.Keep = r.keep
	err = fold.Read(ctx, c.Store, c.Record, func(e *record.Event, actions []engine.Action) {
		if each != nil {
			each(e)
		}
		r.observe(*e)
		for _, a := range actions {
			switch a := a.(type) {
			case engine.Notify:
				r.observe(a.Event)
			case engine.End:
				r.end = &a.End
			}
		}
	})
	if err != nil {
		return nil, err
	}
	r.state, r.seq, r.last = fold.State, fold.Seq, fold.At
	r.journal = journal.New(c.Store, c.Record, fold.Segment, c.LogDelay)
	return r, nil
}

func newRun(c Config, fold *history.Fold, kept []record.Event) *Run {
	return &Run{
		c: c, fold: fold, kept: kept, state: fold.State, journal: journal.New(c.Store, c.Record, 0, c.LogDelay), asks: map[string]record.Event{},
	}
}

// Open returns what is open before Start: what the log of a run that was taken over leaves open, and what follows from
// events that were taken since.
func (r *Run) Open() *engine.Open { return &r.fold.Open }

// Start takes the events that a log begins with, as far as the run's log doesn't contain them, and returns all actions
// that are to be carried out now, in the order in which the engine has asked for them. It is called once.
func (r *Run) Start() []engine.Action {
	for _, e := range r.kept {
		if !r.fold.Kept[e.Step] {
			r.Take(e)
		}
	}
	if !r.fold.Started {
		r.Take(record.Event{Type: record.RunStarted, At: r.c.Record.CreatedAt})
	}
	actions := r.filter(r.fold.Open.Pending())
	r.fold, r.kept = nil, nil
	return actions
}

// Take takes an event: it numbers the event, adds it to the log, passes it to the engine and to observers, and returns the
// actions that the driver is to carry out. Before Start it returns none: Start returns them. After the end of the run it
// does nothing.
func (r *Run) Take(e record.Event) []engine.Action {
	if r.end != nil {
		return nil
	}
	r.number(&e)
	r.keep(&e)
	r.journal.Add(&e)
	r.observe(e)
	if r.fold != nil {
		actions := r.fold.Add(&e)
		r.state = r.fold.State
		r.filter(actions)
		return nil
	}
	var actions []engine.Action
	r.state, actions = engine.Next(r.state, e)
	return r.filter(onTime(actions, e.At.Sub(Now())))
}

// Log adds an event to the log that concerns neither the engine nor observers.
func (r *Run) Log(e record.Event) {
	r.number(&e)
	r.journal.Add(&e)
}

// number completes an event that is new.
func (r *Run) number(e *record.Event) {
	r.seq++
	e.Version, e.Seq, e.Run = record.Version, r.seq, r.c.Record.Name
	if now := Now(); e.At.IsZero() || e.At.After(now) { // the clock of a node may be ahead
		e.At = now
	}
	if e.At.Before(r.last) {
		e.At = r.last
	}
	r.last = e.At
}

// onTime returns actions with timers by this machine's clock. The times of the log are ahead of that clock by lead if an
// earlier driver had another one.
func onTime(actions []engine.Action, lead time.Duration) []engine.Action {
	if lead <= 0 {
		return actions
	}
	for i := range actions {
		if t, ok := actions[i].(engine.SetTimer); ok {
			t.At = t.At.Add(-lead)
			actions[i] = t
		}
	}
	return actions
}

// filter carries out the actions that concern no driver, and returns the others.
func (r *Run) filter(actions []engine.Action) []engine.Action {
	out := actions[:0]
	for _, a := range actions {
		switch a := a.(type) {
		case engine.Notify:
			r.notify(a.Event)
		case engine.End:
			r.end = &a.End
		default:
			out = append(out, a)
		}
	}
	return out
}

// CheckAnswer returns why an answer to an approval can't be taken: an *engine.NotPendingError, or what is wrong with it.
func (r *Run) CheckAnswer(step string, a *record.Answer) error {
	if r.end != nil {
		return &engine.NotPendingError{Step: step}
	}
	return r.state.CheckAnswer(step, a)
}

// MayStart reports whether an attempt runs or may still be started.
func (r *Run) MayStart(id record.AttemptID) bool { return r.end == nil && r.state.MayStart(id) }

// Len returns how many steps, instances and rounds the run has so far.
func (r *Run) Len() int { return r.state.Len() }

// End returns the end of the run; nil if it has not ended.
func (r *Run) End() *record.End { return r.end }

// Finish records the end of a run that has ended: it writes what is missing in the log, then the end, and then notifies
// observers. The error is ErrTakenOver if another process has written a part of that. Any other error leaves the run
// without an end, and Finish may be called again.
func (r *Run) Finish(ctx context.Context) error {
	err := r.journal.Flush()
	if err == nil {
		err = r.writeEnd(ctx)
	}
	if errors.Is(err, store.ErrExists) {
		err = ErrTakenOver
	}
	if err != nil {
		return fmt.Errorf("the end of run %s (%s) could not be recorded: %w", r.c.Record.Name, describe(r.end), err)
	}
	r.observe(Ended(r.c.Record, r.end))
	return nil
}

// describe returns how a run has ended, in a few words.
func describe(end *record.End) string {
	if end.Message == "" {
		return string(end.Status)
	}
	return string(end.Status) + ": " + end.Message
}

// Flush writes the events that wait to the log. It returns ErrTakenOver if another process has written to the log.
func (r *Run) Flush() error { return r.journal.Flush() }

// FlushContext is Flush for a caller that waits no longer than ctx.
func (r *Run) FlushContext(ctx context.Context) error { return r.journal.FlushContext(ctx) }

// Behind returns when the oldest event was taken that is not in the log yet; zero: all are. It is safe for concurrent use.
func (r *Run) Behind() time.Time { return r.journal.Behind() }

// Taken is closed when another process has written to the log.
func (r *Run) Taken() <-chan struct{} { return r.journal.Taken() }

// Abandon drops the events that wait: the run belongs to another process now.
func (r *Run) Abandon() { r.journal.Stop() }

// Close ends all writing to the log. A write that is in progress has a few seconds to finish.
func (r *Run) Close() { r.journal.Close() }

// Now returns the current time as records contain it: in UTC, without a monotonic clock reading.
func Now() time.Time { return time.Now().UTC().Round(0) }
