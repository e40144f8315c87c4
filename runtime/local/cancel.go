package local

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// Cancel cancels a run: its driver is asked to, or, where none is left, the run is ended as it stands, without its
// finally. With wait it returns when the run has ended, with its end.
func Cancel(ctx context.Context, o Options, run *record.Run, wait bool) (*record.End, error) {
	dir, err := work.In(o.Project)
	if err != nil {
		return nil, err
	}
	w, err := dir.Run(run.Name)
	if err != nil {
		return nil, err
	}
	if !w.Held() {
		return cancelLost(ctx, &o, run)
	}
	asked := w.RequestCancel()
	if asked == nil && !wait {
		return nil, nil
	}
	if asked == nil {
		if err := w.Released(ctx); err != nil {
			return nil, err
		}
	}
	s, err := o.openStore()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	end, err := runs.NewReader(s, dir).End(ctx, run)
	if end == nil && err == nil {
		if err = asked; err == nil {
			err = errors.New("the run's driver is gone, and the run has no end: cancel it again")
		}
	}
	return end, err
}

func cancelLost(ctx context.Context, o *Options, run *record.Run) (*record.End, error) {
	o.Observe = nil
	d, todo, lock, err := takeOver(ctx, o, run)
	if err != nil {
		return nil, err
	}
	defer d.close()
	var end *record.End
	defer func() { d.leave(lock, end) }()
	d.endAsItStands(ctx, todo)
	if d.end == nil {
		return nil, fmt.Errorf("run %s could not be ended", run.Name)
	}
	err = d.finish(ctx)
	if err == nil {
		end = d.end
	}
	return end, err
}

// endAsItStands takes in what attempts have committed, cancels the run, and gives up what was begun.
func (d *driver) endAsItStands(ctx context.Context, t *todo) {
	note := func(e record.Event) {
		t.answered(&e)
		for _, a := range d.fold(&e, true) {
			t.asked(d, a)
		}
	}
	for _, e := range t.kept {
		note(e)
	}
	if !t.began {
		note(record.Event{Type: record.RunStarted, At: d.run.CreatedAt})
	}
	giveUp := func(committed bool) {
		for i := 0; i < len(t.order); i++ { // what is noted may add to it
			a, ok := t.open[t.order[i]].(engine.StartAttempt)
			if !ok {
				continue
			}
			spec := d.spec(&a.Spec)
			result := d.before(ctx, spec)
			if result == nil || committed && result.Reason == record.ReasonLost {
				if committed {
					continue
				}
				result = lost(spec, record.ReasonLost, "pipec was killed before it was started")
			}
			note(record.Event{Type: record.AttemptEnded, Step: a.Step, Attempt: a.Attempt, Result: result})
		}
	}
	giveUp(true)
	for range 2 { // the second one is for finally
		note(record.Event{Type: record.CancelRequested})
	}
	giveUp(false)
}
