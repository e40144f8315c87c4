package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Segment is one piece of a run's log of events.
type Segment struct {
	Seq    int64
	Events []record.Event
}

// Log gives the segments of the run's log, in order, up to the first that isn't there. What is torn (by a loss of
// power) is left out: what the events that are missing would say stands in the results of the attempts too.
func (r *Reader) Log(ctx context.Context, run *record.Run) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		for seq := int64(0); ; seq++ {
			key := run.LogKey(seq)
			if _, err := r.store.Stat(ctx, key); err != nil {
				if !isNotExist(err) {
					yield(Segment{}, err)
				}
				return
			}
			data, err := store.ReadAll(ctx, r.store, key)
			if err != nil {
				yield(Segment{}, err)
				return
			}
			if !yield(Segment{Seq: seq, Events: parseEvents(data)}, nil) {
				return
			}
		}
	}
}

// parseEvents reads the lines of a segment up to the first that is damaged.
func parseEvents(data []byte) []record.Event {
	var out []record.Event
	for line := range bytes.Lines(data) {
		var e record.Event
		if json.Unmarshal(line, &e) != nil || e.Version > record.Version {
			break
		}
		out = append(out, e)
	}
	return out
}

// progress is how far the steps of a run are, as the engine tells it.
type progress struct {
	order []string
	steps map[string]*record.StepEnd
}

func newProgress(p *program.Program, run *record.Run) *progress {
	pr := &progress{steps: map[string]*record.StepEnd{}}
	only := map[string]bool{}
	for _, name := range run.Only {
		only[name] = true
	}
	for _, s := range p.All() {
		if len(only) == 0 || only[s.Name] {
			pr.order = append(pr.order, s.Name)
			pr.steps[s.Name] = &record.StepEnd{Name: s.Name, Status: record.Pending}
		}
	}
	return pr
}

// see takes in what the engine asked for.
func (pr *progress) see(actions []engine.Action) (end *record.End) {
	for _, a := range actions {
		switch a := a.(type) {
		case engine.Notify:
			s := pr.steps[a.Step]
			switch {
			case s == nil:
			case a.Type == record.StepStarted:
				s.Status, s.StartedAt, s.Attempts, s.Attempt = record.Running, a.At, 1, 1
			case a.Type == record.StepEnded && a.End != nil:
				*s = *a.End
			}
		case engine.StartAttempt:
			if s := pr.steps[a.Step]; s != nil {
				s.Attempts, s.Attempt = a.Attempt, a.Attempt
			}
		case engine.End:
			end = &a.End
		}
	}
	return end
}

// fold gives the steps of a run that has no end, as its log tells: that may be a moment behind.
func (r *Reader) fold(ctx context.Context, run *record.Run) ([]record.StepEnd, error) {
	p, err := r.Program(ctx, run)
	if err != nil {
		return nil, err
	}
	state, err := engine.New(p, run, run.Parallel)
	if err != nil {
		return nil, err
	}
	pr := newProgress(p, run)
	for segment, err := range r.Log(ctx, run) {
		if err != nil {
			return nil, err
		}
		for i := range segment.Events {
			var actions []engine.Action
			state, actions = engine.Next(state, segment.Events[i])
			pr.see(actions)
		}
	}
	out := make([]record.StepEnd, len(pr.order))
	for i, name := range pr.order {
		out[i] = *pr.steps[name]
	}
	return out, nil
}
