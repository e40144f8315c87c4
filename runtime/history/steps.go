package history

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Steps returns the state of the steps of a run that has no end. The log of a run is written behind its work, so the
// results that attempts have committed since count too.
func Steps(ctx context.Context, s store.Store, run *record.Run) ([]record.StepEnd, error) {
	p, err := Program(ctx, s, run)
	if err != nil {
		return nil, err
	}
	f, err := NewFold(p, run)
	if err != nil {
		return nil, err
	}
	if err := f.Read(ctx, s, run, nil); err != nil {
		return nil, err
	}
	if !f.Started {
		f.Add(&record.Event{Type: record.RunStarted, At: run.CreatedAt})
	}
	if err := f.commit(ctx, s, run); err != nil {
		return nil, err
	}
	return f.State.Steps(), nil
}

// RerunOf reads the record of the run that a run is a rerun of; nil if it is not a rerun.
func RerunOf(ctx context.Context, s store.Store, run *record.Run) (*record.Run, error) {
	if run.RerunOf == "" {
		return nil, nil
	}
	of, err := Run(ctx, s, run.Namespace, run.Pipeline, run.RerunOf)
	if err != nil {
		return nil, fmt.Errorf("run %s, whose results are kept: %w", run.RerunOf, err)
	}
	return of, nil
}

// RerunEvents returns the StepKept events that a recorded run starts with; none if it is not a rerun.
func RerunEvents(ctx context.Context, s store.Store, run *record.Run) ([]record.Event, error) {
	if len(run.Kept) == 0 {
		return nil, nil
	}
	of, err := RerunOf(ctx, s, run)
	if err != nil {
		return nil, err
	}
	return KeptEvents(ctx, s, of, run.Kept, run.Redone)
}

// KeptEvents returns the StepKept events by which a rerun takes over the results that the kept steps have in the run of,
// without those of the redone parts. A run that was lost has no end, and its log is folded instead.
func KeptEvents(ctx context.Context, s store.Store, of *record.Run, kept, redone []string) ([]record.Event, error) {
	if of == nil || len(kept) == 0 {
		return nil, nil
	}
	var steps []record.StepEnd
	end, err := End(ctx, s, of)
	if end != nil {
		steps = end.Steps
	} else if err == nil {
		steps, err = Steps(ctx, s, of)
	}
	if err != nil {
		return nil, fmt.Errorf("run %s, whose results are kept: %w", of.Name, err)
	}
	return rerun.KeptEvents(of, steps, kept, redone), nil
}

// commit adds the results of the attempts that the engine waits for, if they are committed, and then those of the attempts
// that start because of that.
func (f *Fold) commit(ctx context.Context, s store.Store, run *record.Run) error {
	read := map[record.AttemptID]bool{}
	for {
		ids := f.unread(read)
		if len(ids) == 0 {
			return nil
		}
		results, err := readResults(ctx, s, run, ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			r := results[i]
			entering := f.Open.Entering(id)
			if r == nil || !entering && !f.Open.Started(id) {
				continue
			}
			if entering { // an attempt with a result must have entered its group
				f.Add(&record.Event{Type: record.GroupEntered, At: r.StartedAt, Step: id.Step, Attempt: id.Attempt})
			}
			f.Add(&record.Event{Type: record.AttemptEnded, At: r.EndedAt, Step: id.Step, Attempt: id.Attempt, Result: r})
		}
	}
}

// unread returns the open attempts whose results were not read yet, and marks them as read.
func (f *Fold) unread(read map[record.AttemptID]bool) []record.AttemptID {
	var out []record.AttemptID
	for _, a := range f.Open.Pending() {
		var id record.AttemptID
		switch a := a.(type) {
		case engine.StartAttempt:
			id = record.AttemptID{Step: a.Step, Attempt: a.Attempt}
		case engine.RequestSlot:
			id = record.AttemptID{Step: a.Step, Attempt: a.Attempt}
		default:
			continue
		}
		if !read[id] {
			read[id] = true
			out = append(out, id)
		}
	}
	return out
}

// atOnce is how many results are read at the same time.
const atOnce = 16

// readResults reads the results of attempts, in their order; nil for those that have none.
func readResults(ctx context.Context, s store.Store, run *record.Run, ids []record.AttemptID) ([]*record.Result, error) {
	out := make([]*record.Result, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, id := range ids {
		g.Go(func() (err error) {
			out[i], err = Result(ctx, s, run, id)
			return err
		})
	}
	return out, g.Wait()
}
