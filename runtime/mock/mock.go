// Package mock runs a program without processes: a Cast gives the results of attempts and the answers to approvals, and time is
// virtual. Everything else is decided by the engine, as in every run. It is what `pipec test` runs tests with.
//
// It is not a driver: it starts nothing, stores nothing and waits for nothing. It knows nothing of test files.
package mock

import (
	"container/heap"
	"fmt"
	"maps"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Cast plays the parts of a run that are outside of the engine.
type Cast interface {
	// Attempt returns the result of an attempt.
	Attempt(spec *engine.Spec) (Outcome, error)
	// Cached reports whether an earlier run has the result of an attempt. Then Attempt is asked for its outputs.
	Cached(spec *engine.Spec) bool
	// Answer returns the answer to an approval, and how long it takes; nil: there is no answer.
	Answer(step string, ask *record.Ask) (*record.Answer, time.Duration, error)
}

// Outcome is the result of an attempt, and how long the attempt takes.
type Outcome struct {
	Result record.Result // its status, class, exit code, reason, message and outputs
	Took   time.Duration // from its start to its end; longer than the step's timeout: it times out
}

// Options configure a run.
type Options struct {
	CancelAfter time.Duration // when the user cancels the run; 0: never
	MaxEvents   int           // 0: MaxEvents
}

// MaxEvents is the default of Options.MaxEvents. A run that has more of them is taken for one that never ends.
const MaxEvents = 1_000_000

// Attempt is an attempt that was started, in the order in which the attempts started.
type Attempt struct {
	record.AttemptID
	StartedAt, EndedAt time.Time // EndedAt is zero if the attempt was cut off by the end of the run
}

// History is what happened in a run.
type History struct {
	End       record.End
	StartedAt time.Time
	Attempts  []Attempt
	Steps     map[string]*record.StepEnd // every node that has ended, by its address: steps, instances, rounds, called steps
}

// settle removes the parts of earlier attempts of calls that the last attempts did not have.
func (h *History) settle() {
	if len(h.End.Steps) >= len(h.Steps) {
		return
	}
	last := make(map[string]bool, len(h.End.Steps))
	for i := range h.End.Steps {
		last[h.End.Steps[i].Name] = true
	}
	maps.DeleteFunc(h.Steps, func(name string, _ *record.StepEnd) bool { return !last[name] })
}

// StuckError reports that a run waits for something that never comes.
type StuckError struct {
	Approvals []string // the approvals that wait for an answer
}

func (e *StuckError) Error() string {
	if len(e.Approvals) > 0 {
		return "the run waits forever: there is no answer to the approval " + e.Approvals[0]
	}
	return "the run waits forever"
}

// Run runs a program to its end.
func Run(p *program.Program, run *record.Run, cast Cast, o Options) (*History, error) {
	state, err := engine.New(p, run, 0)
	if err != nil {
		return nil, err
	}
	r := runner{
		state: state, cast: cast, run: run.Name,
		history: &History{StartedAt: run.CreatedAt, Steps: map[string]*record.StepEnd{}},
		running: map[record.AttemptID]*playing{}, asked: map[string]bool{},
	}
	r.at(run.CreatedAt, record.Event{Type: record.RunStarted})
	if o.CancelAfter > 0 {
		r.at(run.CreatedAt.Add(o.CancelAfter), record.Event{Type: record.CancelRequested})
	}
	limit := o.MaxEvents
	if limit == 0 {
		limit = MaxEvents
	}
	for n := 0; ; n++ {
		switch {
		case r.ended:
			return r.history, nil
		case r.queue.Len() == 0:
			return nil, r.stuck()
		case n == limit:
			return nil, fmt.Errorf("the run has not ended after %d events", limit)
		}
		if err := r.step(); err != nil {
			return nil, err
		}
	}
}

// runner is one run.
type runner struct {
	state   *engine.State
	cast    Cast
	run     string
	now     time.Time
	queue   queue
	seq     int
	ended   bool
	history *History
	running map[record.AttemptID]*playing
	asked   map[string]bool
}

// playing is an attempt that runs.
type playing struct {
	index   int // in the history
	stopped bool
}

// at puts an event into the queue.
func (r *runner) at(when time.Time, e record.Event) {
	e.At = when
	r.seq++
	heap.Push(&r.queue, entry{event: e, seq: r.seq})
}

// step passes the next event to the engine, and carries out what it asks for.
func (r *runner) step() error {
	next := heap.Pop(&r.queue).(entry)
	e := next.event
	r.now = e.At
	if e.Type == record.AttemptEnded && !r.finish(&e, next.stop) {
		return nil
	}
	if e.Type == record.ApprovalGiven {
		if err := r.state.CheckAnswer(e.Step, e.Answer); err != nil {
			if _, late := err.(*engine.NotPendingError); late {
				return nil
			}
			return fmt.Errorf("the answer to the approval %s: %w", e.Step, err)
		}
		delete(r.asked, e.Step)
	}
	_, actions := engine.Next(r.state, e)
	for _, a := range actions {
		if err := r.act(a); err != nil {
			return err
		}
	}
	return nil
}

// finish notes the end of an attempt. It returns false for the end that a stopped attempt would have had, and for a stop
// that came too late.
func (r *runner) finish(e *record.Event, stop bool) bool {
	id := record.AttemptID{Step: e.Step, Attempt: e.Attempt}
	p := r.running[id]
	if p == nil || p.stopped != stop {
		return false
	}
	delete(r.running, id)
	e.Result.EndedAt = r.now
	r.history.Attempts[p.index].EndedAt = r.now
	return true
}

func (r *runner) act(a engine.Action) error {
	switch a := a.(type) {
	case engine.StartAttempt:
		return r.start(&a.Spec)
	case engine.StopAttempt:
		r.stop(a)
	case engine.CheckCache:
		return r.check(&a.Spec)
	case engine.RequestSlot:
		r.at(r.now, record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt})
	case engine.RequestApproval:
		return r.ask(a)
	case engine.SetTimer:
		r.at(later(r.now, a.At), record.Event{Type: record.TimerFired, Timer: a.Name})
	case engine.Notify:
		if a.Type == record.StepEnded {
			r.history.Steps[a.Event.End.Name] = a.Event.End
		}
	case engine.End:
		r.history.End, r.ended = a.End, true
		r.history.settle()
	}
	return nil
}

func (r *runner) start(spec *engine.Spec) error {
	out, err := r.cast.Attempt(spec)
	if err != nil {
		return err
	}
	if limit := spec.Def.Timeout.D(); limit > 0 && out.Took > limit {
		out = Outcome{Took: limit, Result: record.Result{
			Status: record.TimedOut, Class: record.ClassUser, Reason: record.ReasonTimeout, Message: "longer than its timeout of " + limit.String(),
		}}
	}
	id := record.AttemptID{Step: spec.Step, Attempt: spec.Attempt}
	r.running[id] = &playing{index: len(r.history.Attempts)}
	r.history.Attempts = append(r.history.Attempts, Attempt{AttemptID: id, StartedAt: r.now})
	r.at(r.now.Add(out.Took), record.Event{Type: record.AttemptEnded, Step: spec.Step, Attempt: spec.Attempt, Result: r.result(spec, out.Result)})
	return nil
}

func (r *runner) result(spec *engine.Spec, result record.Result) *record.Result {
	result.Version, result.Run, result.Step, result.Attempt = record.Version, r.run, spec.Step, spec.Attempt
	result.StartedAt, result.EndedAt = r.now, r.now
	return &result
}

// stop ends an attempt at once, as a process does that obeys SIGTERM.
func (r *runner) stop(a engine.StopAttempt) {
	p := r.running[record.AttemptID{Step: a.Step, Attempt: a.Attempt}]
	if p == nil || p.stopped {
		return
	}
	p.stopped = true
	result := record.Result{Status: record.Cancelled, Class: record.ClassUser, Reason: record.ReasonCancelled, Message: a.Why}
	r.seq++
	heap.Push(&r.queue, entry{seq: r.seq, stop: true, event: record.Event{
		Type: record.AttemptEnded, At: r.now, Step: a.Step, Attempt: a.Attempt,
		Result: r.result(&engine.Spec{Step: a.Step, Attempt: a.Attempt}, result),
	}})
}

func (r *runner) check(spec *engine.Spec) error {
	e := record.Event{Type: record.CacheChecked, Step: spec.Step, Attempt: spec.Attempt}
	if r.cast.Cached(spec) {
		out, err := r.cast.Attempt(spec)
		if err != nil {
			return err
		}
		e.Result, e.From = r.result(spec, out.Result), "earlier"
	}
	r.at(r.now, e)
	return nil
}

func (r *runner) ask(a engine.RequestApproval) error {
	answer, after, err := r.cast.Answer(a.Step, &a.Ask)
	if err != nil {
		return err
	}
	r.asked[a.Step] = true
	if answer != nil {
		answer.At = r.now.Add(after)
		r.at(answer.At, record.Event{Type: record.ApprovalGiven, Step: a.Step, Answer: answer})
	}
	return nil
}

// stuck describes what a run waits for that never comes.
func (r *runner) stuck() error {
	return &StuckError{Approvals: sorted(r.asked)}
}
