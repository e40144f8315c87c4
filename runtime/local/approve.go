package local

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// Approve answers an approval of a run that is driven on this machine, and waits until its driver has taken the answer. It
// returns how the step has ended. The error is a *drive.Refusal if the answer is not accepted.
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
		return nil, drive.Refuse(drive.RefusedAnswer, "nothing drives run %s", run.Name).WithHint("`pipec rerun %s` resumes it, and it waits for the answer again", run.Name)
	}
	data, err := store.EncodeJSON(a)
	if err != nil {
		return nil, err
	}
	if len(data) > record.MaxAnswer {
		return nil, drive.Refuse(drive.RefusedAnswer, "the answer has %d bytes; at most %d are allowed", len(data), record.MaxAnswer).WithHint("let a step fetch larger data as an artifact")
	}
	taken, err := w.Answer(ctx, record.AnswerName(step), data)
	if err != nil && !errors.Is(err, work.ErrNotAsked) && !errors.Is(err, work.ErrAnswered) {
		return nil, err
	}
	return o.answered(ctx, run, step, a, taken)
}

// answered finds out whether an answer was accepted. taken reports whether the driver has taken it; the run's records may not
// contain it yet.
func (o *Options) answered(ctx context.Context, run *record.Run, step string, a *record.Answer, taken bool) (*record.StepEnd, error) {
	reader, err := o.reader()
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
		return nil, fmt.Errorf("the process that drives run %s was killed before it accepted the answer; `pipec rerun %s` resumes the run, which then accepts it", run.Name, run.Name)
	case s != nil && s.Ask != nil && !s.Status.Ended():
		return nil, drive.Refuse(drive.RefusedAnswer, "the answer to %s of run %s was not taken", step, run.Name).WithHint("another answer came first, or the answer is not valid for this approval")
	case s == nil || s.Ask == nil:
		return nil, drive.Refuse(drive.RefusedAnswer, "%s of run %s does not wait for approval", step, run.Name)
	}
	return nil, drive.Refuse(drive.RefusedAnswer, "%s of run %s does not wait for approval any more: %s", step, run.Name, runs.HowAnswered(s))
}
