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

// Cancel cancels a run. It asks the driver of the run to cancel it. If the run has no driver, Cancel ends it without running its
// finally. If wait is set, Cancel returns the end of the run after it has ended.
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
	end, err := runs.NewReader(s, dir, runs.Namespace).End(ctx, run)
	if end == nil && err == nil {
		if err = asked; err == nil {
			err = errors.New("the run's driver has ended without ending the run: cancel the run again")
		}
	}
	return end, err
}

// cancelLost ends a run whose driver is gone.
func cancelLost(ctx context.Context, o *Options, run *record.Run) (end *record.End, err error) {
	o.Observe = nil
	t, err := takeOver(ctx, o, run)
	if err != nil {
		return nil, err
	}
	defer func() { t.close(end) }()
	l := lostRun{scene: t.scene, attempts: newAttempts(t.scene, nil, nil)}
	l.end(ctx)
	if t.run.End() == nil {
		return nil, fmt.Errorf("run %s could not be ended", run.Name)
	}
	if err := t.finish(ctx); err != nil {
		return nil, err
	}
	return t.run.End(), nil
}

// lostRun ends a run without starting anything.
type lostRun struct {
	*scene
	attempts *attempts
	open     engine.Open
}

// end passes the committed results of attempts to the run, cancels it, and gives up the remaining attempts.
func (l *lostRun) end(ctx context.Context) {
	l.open.Observe(&record.Event{}, l.run.Start())
	l.settle(ctx, true)
	for range 2 { // the second request is for finally
		l.take(record.Event{Type: record.CancelRequested})
	}
	l.settle(ctx, false)
}

func (l *lostRun) take(e record.Event) { l.open.Observe(&e, l.run.Take(e)) }

// settle ends the open attempts, and the attempts that start because of that: either those that have committed a result, or
// all of them.
func (l *lostRun) settle(ctx context.Context, committed bool) {
	seen := map[record.AttemptID]bool{}
	for more := true; more; {
		more = false
		for _, a := range l.open.Pending() {
			start, ok := a.(engine.StartAttempt)
			if !ok {
				continue
			}
			id := record.AttemptID{Step: start.Step, Attempt: start.Attempt}
			if seen[id] {
				continue
			}
			seen[id], more = true, true
			if result := l.result(ctx, &start.Spec, committed); result != nil {
				l.take(record.Event{Type: record.AttemptEnded, Step: id.Step, Attempt: id.Attempt, Result: result})
			}
		}
	}
}

// result returns the result with which an attempt ends; nil: the attempt is not ended yet.
func (l *lostRun) result(ctx context.Context, a *engine.Spec, committed bool) *record.Result {
	spec := l.spec(a)
	result := l.attempts.before(ctx, spec)
	switch {
	case committed && (result == nil || result.Reason == record.ReasonLost):
		return nil
	case result == nil:
		return lost(spec, record.ReasonLost, "pipec was killed before it was started")
	}
	return result
}
