package history

import (
	"context"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Fold is the state of a run after the events that were added to it. It is not safe for concurrent use.
type Fold struct {
	State   *engine.State
	Open    engine.Open     // what the engine has asked for and no event has answered
	Started bool            // RunStarted was added
	Kept    map[string]bool // the steps of the StepKept events that were added
	Seq     int64           // of the last event
	At      time.Time       // of the last event
	// Keep is called by Read with each event before it is added, and may replace values with equal ones; nil: nothing is called.
	Keep    func(*record.Event)
	Segment int64 // the first segment of the log that Read has not found
}

// NewFold returns the state of a run before its first event. The error is the reason why the program can't be run.
func NewFold(p *program.Program, run *record.Run) (*Fold, error) {
	state, err := engine.New(p, run, run.Parallel)
	if err != nil {
		return nil, err
	}
	return &Fold{State: state, Kept: map[string]bool{}}, nil
}

// Add adds an event, and returns what the engine asks for because of it.
func (f *Fold) Add(e *record.Event) []engine.Action {
	switch e.Type {
	case record.RunStarted:
		f.Started = true
	case record.StepKept:
		f.Kept[e.Step] = true
	}
	f.Seq, f.At = max(f.Seq, e.Seq), e.At
	var actions []engine.Action
	f.State, actions = engine.Next(f.State, *e)
	f.Open.Observe(e, actions)
	return actions
}

// Read adds the events of the run's log. It calls each, which may be nil, after each event.
func (f *Fold) Read(ctx context.Context, s store.Store, run *record.Run, each func(*record.Event, []engine.Action)) error {
	for segment, err := range journal.Read(ctx, s, run) {
		if err != nil {
			return err
		}
		f.Segment = segment.Seq + 1
		for i := range segment.Events {
			e := &segment.Events[i]
			if f.Keep != nil {
				f.Keep(e)
			}
			actions := f.Add(e)
			if each != nil {
				each(e, actions)
			}
		}
	}
	return nil
}
