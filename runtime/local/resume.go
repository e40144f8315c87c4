package local

import (
	"context"
	"fmt"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// Resume goes on with a run that has no end and whose driver is gone, under its name, with the program, the params and
// the code that are recorded. Processes that its driver left are killed first. Of the options, those that say what to
// run have no effect.
func Resume(ctx context.Context, o Options, run *record.Run) (Outcome, error) {
	out := Outcome{Run: run}
	d, todo, lock, err := takeOver(ctx, &o, run)
	if err != nil {
		return out, err
	}
	defer d.close()
	defer func() { d.leave(lock, out.End) }()
	if err := d.equip(run, d.program); err != nil {
		d.watch.close()
		return out, err
	}
	requests, err := d.work.Requests()
	if err != nil {
		d.watch.close()
		return out, err
	}
	defer requests.Close()
	out.End, err = d.drive(ctx, requests, func(inner context.Context) {
		for _, e := range todo.kept {
			d.feed(inner, e)
		}
		todo.begin(inner, d)
		d.do(inner, append(todo.actions(), d.open()...))
	})
	return out, err
}

// takeOver becomes the driver of a run that has none, as far as its log tells. Nothing is done yet for what is todo.
func takeOver(ctx context.Context, o *Options, run *record.Run) (*driver, *todo, *work.Lock, error) {
	d, err := open(o)
	if err != nil {
		return nil, nil, nil, err
	}
	lock, err := d.lock(run)
	if err != nil {
		d.close()
		return nil, nil, nil, err
	}
	t, err := d.read(ctx, run)
	if err != nil {
		lock.Release()
		d.close()
		return nil, nil, nil, err
	}
	return d, t, lock, nil
}

// read brings the engine to where the run's log ends, when nobody works for the run any more.
func (d *driver) read(ctx context.Context, run *record.Run) (*todo, error) {
	dir, err := work.In(d.project)
	if err != nil {
		return nil, err
	}
	reader := runs.NewReader(d.store, dir)
	end, err := reader.End(ctx, run)
	if err != nil {
		return nil, err
	}
	if end != nil {
		return nil, refuse(RefusedEnded, "run %s has ended: %s", run.Name, end.Status)
	}
	if err := d.work.Kill(); err != nil {
		return nil, err
	}
	if err := dir.Forget(run.Name); err != nil {
		return nil, err
	}
	p, err := reader.Program(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("the program of run %s: %w", run.Name, err)
	}
	d.setProgram(run, p)
	if d.state, err = engine.New(p, run, run.Parallel); err != nil {
		return nil, refuse(RefusedProgram, "%s", err)
	}
	d.resumed = true
	return d.replay(ctx, reader)
}

// todo is what the log leaves to be done.
type todo struct {
	kept  []record.Event // StepKept that are not there
	began bool
	open  map[string]engine.Action
	order []string
}

// begin feeds what a log begins with, where it isn't there.
func (t *todo) begin(ctx context.Context, d *driver) {
	if !t.began {
		d.feed(ctx, record.Event{Type: record.RunStarted, At: d.run.CreatedAt})
	}
}

func (t *todo) add(key string, a engine.Action) {
	t.open[key] = a
	t.order = append(t.order, key)
}

func (t *todo) actions() []engine.Action {
	var out []engine.Action
	for _, key := range t.order {
		if a, ok := t.open[key]; ok {
			out = append(out, a)
			delete(t.open, key)
		}
	}
	return out
}

func startKey(step string, n int) string { return fmt.Sprintf("start/%s/%d", step, n) }

func enterKey(step string, n int) string { return fmt.Sprintf("enter/%s/%d", step, n) }

// replay folds the log, and gives what was asked for and is not answered.
func (d *driver) replay(ctx context.Context, reader *runs.Reader) (*todo, error) {
	t := &todo{open: map[string]engine.Action{}}
	kept, segment := map[string]bool{}, int64(0)
	var past []record.Event
	for s, err := range reader.Log(ctx, d.run) {
		if err != nil {
			return nil, err
		}
		segment = s.Seq + 1
		for i := range s.Events {
			e := &s.Events[i]
			t.began = t.began || e.Type == record.RunStarted
			kept[e.Step] = kept[e.Step] || e.Type == record.StepKept
			t.answered(e)
			past = append(past, *e)
			for _, a := range d.fold(e, false) {
				if n, ok := a.(engine.Notify); ok {
					past = append(past, n.Event)
				}
				t.asked(d, a)
			}
		}
	}
	d.begin(segment)
	for i := range past {
		d.watch.event(past[i])
	}
	if len(d.run.Kept) > 0 {
		events, err := keptEvents(ctx, reader, d.run)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if !kept[e.Step] {
				t.kept = append(t.kept, e)
			}
		}
	}
	return t, nil
}

func (t *todo) answered(e *record.Event) {
	switch e.Type {
	case record.AttemptEnded:
		delete(t.open, startKey(e.Step, e.Attempt))
	case record.CacheChecked:
		delete(t.open, "check/"+e.Step)
	case record.TimerFired:
		delete(t.open, "timer/"+e.Timer)
	case record.GroupEntered, record.GroupBusy:
		delete(t.open, enterKey(e.Step, e.Attempt))
	}
}

func (t *todo) asked(d *driver, a engine.Action) {
	switch a := a.(type) {
	case engine.StartAttempt:
		t.add(startKey(a.Step, a.Attempt), a)
	case engine.StopAttempt:
		t.add(fmt.Sprintf("stop/%s/%d", a.Step, a.Attempt), a)
	case engine.CheckCache:
		t.add("check/"+a.Step, a)
	case engine.EnterGroup:
		t.add(enterKey(a.Step, a.Attempt), a)
	case engine.LeaveGroup:
		delete(t.open, enterKey(a.Step, a.Attempt))
	case engine.SetTimer:
		t.add("timer/"+a.Name, a)
	case engine.End:
		d.end = &a.End
		close(d.over)
	}
}
