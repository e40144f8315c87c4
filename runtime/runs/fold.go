package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"path"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/store"
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
		seq := int64(0)
		get := func(ctx context.Context, key string) ([]byte, error) { return store.ReadAll(ctx, r.store, key) }
		for data, err := range ahead(ctx, r.window(), r.segments(ctx, run), get, nil) {
			if isNotExist(err) {
				return
			}
			if err != nil {
				yield(Segment{}, err)
				return
			}
			if !yield(Segment{Seq: seq, Events: parseEvents(data)}, nil) {
				return
			}
			seq++
		}
	}
}

// segments are the keys of the run's log, up to the first that isn't there. Of a local store it gives that too: it
// costs less to try it than to list.
func (r *Reader) segments(ctx context.Context, run *record.Run) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if r.window() == 1 {
			for seq := int64(0); yield(run.LogKey(seq), nil); seq++ {
			}
			return
		}
		seq := int64(0)
		for key, err := range r.store.List(ctx, path.Dir(run.LogKey(0))+"/", "") {
			if err == nil && key != run.LogKey(seq) || !yield(key, err) {
				return
			}
			seq++
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

// fold gives the steps of a run that has no end: as its log tells, and, since that is written behind the work, as the
// results of attempts tell that were committed since.
func (r *Reader) fold(ctx context.Context, run *record.Run) ([]record.StepEnd, error) {
	p, err := r.Program(ctx, run)
	if err != nil {
		return nil, err
	}
	state, err := engine.New(p, run, run.Parallel)
	if err != nil {
		return nil, err
	}
	f := folder{state: state, open: map[logID]bool{}, asking: map[logID]bool{}}
	for segment, err := range r.Log(ctx, run) {
		if err != nil {
			return nil, err
		}
		for i := range segment.Events {
			f.feed(segment.Events[i])
		}
	}
	if !f.started {
		f.feed(record.Event{Type: record.RunStarted, At: run.CreatedAt})
	}
	if err := r.committed(ctx, run, &f); err != nil {
		return nil, err
	}
	return f.state.Steps(), nil
}

// committed feeds the results of the attempts that the engine waits for, as far as they are there. What one sets free is
// asked for in turn.
func (r *Reader) committed(ctx context.Context, run *record.Run, f *folder) error {
	asked := map[logID]bool{}
	for {
		ids := f.next(asked)
		if len(ids) == 0 {
			return nil
		}
		read := func(ctx context.Context, id logID) (*record.Result, error) {
			result, err := store.ReadJSON[record.Result](ctx, r.store, run.AttemptDir(id.step, id.attempt)+"/result.json")
			if isNotExist(err) {
				return nil, nil
			}
			return &result, err
		}
		i := 0
		for result, err := range ahead(ctx, r.window(), each(ids), read, nil) {
			if err != nil {
				return err
			}
			if id := ids[i]; result != nil && f.open[id] {
				if f.asking[id] { // it must have come in
					f.feed(record.Event{Type: record.GroupEntered, At: result.StartedAt, Step: id.step, Attempt: id.attempt})
				}
				f.feed(record.Event{Type: record.AttemptEnded, At: result.EndedAt, Step: id.step, Attempt: id.attempt, Result: result})
			}
			i++
		}
	}
}

// folder is the engine, fed with what is recorded.
type folder struct {
	state   *engine.State
	started bool
	open    map[logID]bool // attempts that were started and have not ended, or wait for a place in their group
	asking  map[logID]bool // those that wait for one, as far as the log tells
	queue   []logID
}

func (f *folder) feed(e record.Event) {
	f.started = f.started || e.Type == record.RunStarted
	if e.Type == record.AttemptEnded {
		delete(f.open, logID{e.Step, e.Attempt})
	}
	var actions []engine.Action
	f.state, actions = engine.Next(f.state, e)
	for _, a := range actions {
		switch a := a.(type) {
		case engine.StartAttempt:
			if id := (logID{a.Step, a.Attempt}); !f.open[id] {
				f.open[id] = true
				f.queue = append(f.queue, id)
			}
			delete(f.asking, logID{a.Step, a.Attempt})
		case engine.EnterGroup:
			id := logID{a.Step, a.Attempt}
			f.open[id], f.asking[id] = true, true
			f.queue = append(f.queue, id)
		case engine.LeaveGroup:
			if id := (logID{a.Step, a.Attempt}); f.asking[id] {
				delete(f.asking, id)
				delete(f.open, id)
			}
		}
	}
}

// next are the open attempts that were not asked for yet. They count as asked for.
func (f *folder) next(asked map[logID]bool) []logID {
	var ids []logID
	for _, id := range f.queue {
		if f.open[id] && !asked[id] {
			asked[id] = true
			ids = append(ids, id)
		}
	}
	f.queue = nil
	return ids
}
