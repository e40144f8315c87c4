package kube

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// goOn drives a run that another coordinator of its Job has begun.
func (d *driver) goOn(ctx context.Context, _ *batchv1.Job, run *record.Run, lease *lease) (*record.End, error) {
	d.run, d.resumed = run, true
	end, err := d.readEnd(ctx, run)
	if err != nil || end != nil {
		if end != nil {
			d.tellEnd(end)
		}
		return end, err
	}
	if got := program.Digest(d.o.Program); got != run.Program {
		return nil, refuse("the run %s is of the program %s, and the Job has %s", run.Name, run.Program, got)
	}
	if d.state, err = engine.New(d.program, run, run.Parallel); err != nil {
		return nil, refuse("the program can't be run: %s", err)
	}
	var kept []record.Event
	if run.RerunOf != "" {
		of, err := d.rerunOf(ctx, run)
		if err != nil {
			return nil, err
		}
		if kept, err = d.kept(ctx, run, of); err != nil {
			return nil, err
		}
	}
	past, err := d.replay(ctx)
	if err != nil {
		return nil, err
	}
	// From here on a coordinator that was there before finds that it isn't alone.
	d.journal.Add(d.number(record.Event{Type: record.CoordinatorStarted, Text: d.o.Pod}))
	if err := d.journal.Flush(); err != nil {
		return nil, err
	}
	return d.drive(ctx, lease, func() {
		for _, e := range kept {
			if !past.kept[e.Step] {
				d.feed(e)
			}
		}
		if !past.started {
			d.feed(record.Event{Type: record.RunStarted, At: run.CreatedAt})
		}
		d.groups.Resume(&past.open, d.attempts.listed)
		for _, a := range past.open.Actions() {
			d.act(a)
		}
		for _, a := range d.state.Asks() {
			d.act(a)
		}
	})
}

// past is what a run's log tells beyond the engine's state.
type past struct {
	started bool
	kept    map[string]bool
	open    engine.Open
}

// replay brings the engine to where the run's log ends, and tells of all that is in it.
func (d *driver) replay(ctx context.Context) (*past, error) {
	t := &past{kept: map[string]bool{}}
	segment := int64(0)
	for s, err := range journal.Read(ctx, d.store, d.run) {
		if err != nil {
			return nil, err
		}
		segment = s.Seq + 1
		for i := range s.Events {
			e := &s.Events[i]
			switch e.Type {
			case record.RunStarted:
				t.started = true
			case record.StepKept:
				t.kept[e.Step] = true
			case record.CancelRequested:
				d.cancels[e.Text] = true
			case record.AttemptStopping:
				d.attempts.givenUp[attemptID{e.Step, e.Attempt}] = e.Result
			}
			d.tell(*e)
			d.seq, d.last = max(d.seq, e.Seq), e.At
			var actions []engine.Action
			d.state, actions = engine.Next(d.state, *e)
			t.open.See(e, actions)
			for _, a := range actions {
				if n, ok := a.(engine.Notify); ok {
					d.tell(n.Event)
				}
			}
		}
	}
	d.open(segment)
	return t, nil
}

// kept are the events by which results are taken over from the run that this one reruns.
func (d *driver) kept(ctx context.Context, run, of *record.Run) ([]record.Event, error) {
	end, err := d.readEnd(ctx, of)
	if err != nil {
		return nil, err
	}
	if end != nil {
		return rerun.KeptEvents(of, end.Steps, run.Kept), nil
	}
	steps, err := d.ends(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("run %s, whose results are kept: %w", of.Name, err)
	}
	return rerun.KeptEvents(of, steps, run.Kept), nil
}

// rerunOf reads the run that run is a rerun of.
func (d *driver) rerunOf(ctx context.Context, run *record.Run) (*record.Run, error) {
	key := (&record.Run{Namespace: run.Namespace, Pipeline: run.Pipeline, Name: run.RerunOf}).RunKey()
	of, err := store.ReadJSON[record.Run](ctx, d.store, key)
	if err != nil {
		return nil, fmt.Errorf("run %s, whose results are kept: %w", run.RerunOf, err)
	}
	return &of, nil
}

// ends are the steps that have ended of a run that has not: it was lost.
func (d *driver) ends(ctx context.Context, of *record.Run) ([]record.StepEnd, error) {
	data, err := store.ReadAll(ctx, d.store, record.ProgramKey(of.Program))
	if err != nil {
		return nil, err
	}
	p, err := program.Decode(data)
	if err != nil {
		return nil, err
	}
	state, err := engine.New(p, of, of.Parallel)
	if err != nil {
		return nil, err
	}
	var out []record.StepEnd
	for s, err := range journal.Read(ctx, d.store, of) {
		if err != nil {
			return nil, err
		}
		for i := range s.Events {
			var actions []engine.Action
			state, actions = engine.Next(state, s.Events[i])
			for _, a := range actions {
				if n, ok := a.(engine.Notify); ok && n.End != nil {
					out = append(out, *n.End)
				}
			}
		}
	}
	return out, nil
}
