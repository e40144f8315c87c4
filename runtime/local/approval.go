package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// ask lets an approval be answered: who answers puts a file into the run's place, and says so. What is asked, and until
// when, is in the run's log before anybody is told: who answers reads it there. The turn is held.
func (d *driver) ask(a engine.Ask) {
	if len(d.asks) == 0 {
		if err := d.work.OpenAnswers(); err != nil {
			d.warn(a.Step, "nobody can answer: "+err.Error())
		}
	}
	name := record.AnswerName(a.Step)
	d.asks[name] = a.Step
	d.work.ReopenAnswer(name)
	_ = d.journal.Flush() // of many that ask at once, the first one's is all
	select {
	case d.asked <- struct{}{}:
	default:
	}
}

func (d *driver) warn(step, text string) {
	d.watch.event(record.Event{Version: record.Version, Type: record.Warned, At: now(), Run: d.run.Name, Step: step, Text: text})
}

// open are the approvals that waited when a driver before this one was killed.
func (d *driver) open() []engine.Action {
	d.turn.Lock()
	defer d.turn.Unlock()
	var out []engine.Action
	for _, a := range d.state.Asks() {
		out = append(out, a)
	}
	return out
}

// answers takes the answers that are there. It is the loop's alone.
func (d *driver) answers(ctx context.Context) {
	for _, name := range d.work.Answers() {
		d.turn.Lock()
		step, asked := d.asks[name]
		d.turn.Unlock()
		if !asked { // what isn't asked yet can't be answered: nobody has read it
			d.work.CloseAnswer(name, false)
			continue
		}
		err := d.takeAnswer(ctx, step, name)
		var late *engine.NotAskingError
		if err != nil && !errors.As(err, &late) {
			d.warn(step, "an answer that can't be taken: "+err.Error())
		}
		if err == nil {
			_ = d.journal.Flush() // what could not be written now is written later, as all else
		}
		d.work.CloseAnswer(name, err == nil)
	}
}

func (d *driver) takeAnswer(ctx context.Context, step, name string) error {
	data, err := d.work.ReadAnswer(name, record.MaxAnswer)
	if err != nil {
		return err
	}
	var a record.Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return err
	}
	tasks, err := d.takeIf(ctx, record.Event{Type: record.ApprovalGiven, Step: step, Answer: &a}, func() error { return d.state.Check(step, &a) })
	d.launch(ctx, tasks)
	return err
}

// takeIf is take, where check says nothing against it at that moment.
func (d *driver) takeIf(ctx context.Context, e record.Event, check func() error) ([]task, error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	if d.closed || d.end != nil {
		return nil, &engine.NotAskingError{Step: e.Step}
	}
	if err := check(); err != nil {
		return nil, err
	}
	for _, a := range d.fold(&e, true) {
		d.act(ctx, a)
	}
	return d.taken(), nil
}

// Approve answers an approval of a run that is driven on this machine, and waits until its driver has taken the answer.
// It gives how the step has ended by it. A *Refusal says why the answer doesn't count.
func Approve(ctx context.Context, o Options, run *record.Run, step string, a *record.Answer) (*record.StepEnd, error) {
	dir, err := work.In(o.Project)
	if err != nil {
		return nil, err
	}
	w, err := dir.Run(run.Name)
	if err != nil {
		return nil, err
	}
	if !w.Held() {
		return nil, refuse(RefusedAnswer, "nothing drives run %s", run.Name).hint("`pipec rerun %s` goes on with it; it then waits for the answer as before", run.Name)
	}
	data, err := store.EncodeJSON(a)
	if err != nil {
		return nil, err
	}
	if len(data) > record.MaxAnswer {
		return nil, refuse(RefusedAnswer, "the answer has %d bytes, and may have %d", len(data), record.MaxAnswer).hint("what is larger is an artifact: have a step fetch it")
	}
	taken, err := w.Answer(ctx, record.AnswerName(step), data)
	if err != nil && !errors.Is(err, work.ErrNotAsked) && !errors.Is(err, work.ErrAnswered) {
		return nil, err
	}
	return o.answered(ctx, run, step, a, taken)
}

// answered reads what has become of an answer. taken says that the driver has it, though its records may not yet.
func (o *Options) answered(ctx context.Context, run *record.Run, step string, a *record.Answer, taken bool) (*record.StepEnd, error) {
	reader, err := runs.Open(o.Project, o.Stack)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	detail, err := reader.Show(ctx, run)
	if err != nil {
		return nil, err
	}
	s := detail.Step(step)
	switch {
	case s != nil && s.Answer != nil && s.Answer.At.Equal(a.At) && s.Answer.By == a.By:
		return s, nil
	case taken:
		return &record.StepEnd{Name: step, Status: record.Running, Answer: a}, nil
	case detail.Status == record.Lost:
		return nil, fmt.Errorf("the process that drives run %s was killed before it took the answer; `pipec rerun %s` goes on, and takes it", run.Name, run.Name)
	case s != nil && s.Ask != nil && !s.Status.Ended():
		return nil, refuse(RefusedAnswer, "the answer to %s of run %s was not taken", step, run.Name).hint("somebody else has answered at the same time, or it is no answer to what is asked")
	case s == nil || s.Ask == nil:
		return nil, refuse(RefusedAnswer, "%s of run %s does not wait for approval", step, run.Name)
	}
	return nil, refuse(RefusedAnswer, "%s of run %s does not wait for approval any more: %s", step, run.Name, runs.HowAnswered(s))
}
