// Package engine decides what a run does next: it is given what has happened, as events, and says what to do, as
// actions. It is a pure state machine. It reads no clock (time is what the events say), does no I/O, starts nothing,
// and takes no chances (the jitter of a delay comes from the attempt's name), so the same events give the same actions
// on every driver, and a run's state is the fold over its log.
//
// What a run consists of grows while it runs: a step with for_each gets its instances, one that calls a pipeline that
// pipeline's steps, and one with repeat its rounds, each when it is known. They are made anew from recorded outputs when
// a log is folded, in the same order, and are never taken back. See expand.go.
//
// The engine is not a driver: how an attempt is run, how its outputs are checked and stored, and how long it may take
// are the business of the driver and of the wrapper around the user's process.
package engine

import (
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// State is a run as it stands. It belongs to its caller, is changed in place by Next, and must not be used by two at
// once. Events that it was given must not be changed afterwards.
type State struct {
	program *program.Program
	run     *record.Run

	nodes   []node         // only ever grows; the first ones are those of the program itself
	frames  []frame        // likewise; the first one is the program's
	limits  []limiter      // likewise; the first one bounds all attempts
	byAddr  map[string]int // nodes
	types   map[string]cty.Type
	earlier map[string]*earlierOutput // by their references

	queues        []groupQueue   // of the groups that nodes want places in, in the order of their first
	queueByGroup  map[string]int // gates
	queuesChanged bool           // one may be let pass

	ready       readyHeap      // nodes that may start as soon as there is room
	ended       []int          // nodes whose dependants have not been told yet
	timers      map[string]int // retry timers that are set, to their node
	frameChecks []int          // scopes in which something has ended
	kept        map[string]record.Event

	started bool // RunStarted was seen
	over    bool // End was given
	cancels int  // how often the run was cancelled

	now     time.Time // of the event at hand
	actions []Action  // for the event at hand
}

// runTimer is the name of the timer of the run's timeout. All others have a slash.
const runTimer = "timeout"

// Next folds one event into the state and says what to do now. It changes s and returns it. An event that does not fit
// (of a step that does not exist, of an attempt that isn't running, a second one of its kind, after the end) changes
// nothing and asks for nothing.
func Next(s *State, e record.Event) (*State, []Action) {
	if s.over {
		return s, nil
	}
	s.now, s.actions = e.At, nil
	switch e.Type {
	case record.RunStarted:
		s.runStarted()
	case record.StepKept:
		s.stepKept(e)
	case record.CacheChecked:
		s.cacheChecked(e)
	case record.AttemptStarted:
		s.attemptStarted(e)
	case record.AttemptEnded:
		s.attemptEnded(e)
	case record.TimerFired:
		s.timerFired(e)
	case record.GroupEntered:
		s.groupEntered(e)
	case record.GroupBusy:
		s.groupBusy(e)
	case record.CancelRequested:
		s.cancelRequested()
	case record.ApprovalGiven:
		s.answered(e)
	default:
		return s, nil
	}
	s.settle()
	actions := s.actions
	s.actions = nil
	return s, actions
}

// Ended says whether the run has ended: End was among the actions.
func (s *State) Ended() bool { return s.over }

func (s *State) act(a Action) { s.actions = append(s.actions, a) }

// notify tells watchers of something that happened to n.
func (s *State) notify(e record.Event) {
	e.Version, e.At, e.Run = record.Version, s.now, s.run.Name
	s.act(Notify{e})
}
