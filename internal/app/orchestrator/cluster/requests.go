package cluster

import (
	"context"
	"errors"

	"pipec.dev/pipec/internal/app/approval"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Cancel asks the run's coordinator to cancel it. A run without a coordinator is ended as it is.
func (c *Cluster) Cancel(ctx context.Context, r *orchestrator.CancelRequest) (*orchestrator.Cancelled, error) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	run, err := s.find(ctx, &r.RunRequest)
	if err != nil {
		return nil, err
	}
	end, err := s.reader.End(ctx, run)
	if err != nil {
		return nil, fault.Env(err)
	}
	if end != nil {
		return nil, fault.Userf("run %s has ended already: %s", run.Name, end.Status)
	}
	job, err := s.driver(ctx, run)
	if err != nil {
		return nil, err
	}
	if job == nil {
		return s.cancelLost(ctx, run)
	}
	if err := s.runs.Cancel(ctx, job); err != nil {
		return nil, s.classify(ctx, err)
	}
	if !r.Wait {
		return &orchestrator.Cancelled{Run: run.Name}, nil
	}
	c.stack.Notify(notice.Infof("Run %s was asked to end; waiting for its end.", run.Name))
	end, err = s.runs.Follow(ctx, remote.FollowOptions{
		Pipeline: run.Pipeline, Name: run.Name, UID: run.UID, Reader: s.reader, Observe: observer(r.Observe),
	})
	if err != nil && ctx.Err() != nil {
		return nil, &fault.Fault{Kind: fault.Interrupted, Message: "The run was asked to end; its end is not waited for.", Err: err}
	}
	if err != nil {
		return nil, s.classify(ctx, err)
	}
	return &orchestrator.Cancelled{Run: run.Name, End: end}, nil
}

// cancelLost ends a run as it is, because nothing drives it any more.
func (s *session) cancelLost(ctx context.Context, run *record.Run) (*orchestrator.Cancelled, error) {
	end, err := remote.EndLost(ctx, s.reader, run, record.Cancelled)
	if err != nil {
		return nil, fault.Env(err)
	}
	if end.Status != record.Cancelled {
		return nil, fault.Userf("run %s has ended already: %s", run.Name, end.Status)
	}
	return &orchestrator.Cancelled{Run: run.Name, End: end, Lost: true}, nil
}

// Answer writes an answer for the run's coordinator, and waits until the coordinator has taken it.
func (c *Cluster) Answer(ctx context.Context, r *orchestrator.AnswerRequest) (*orchestrator.Answered, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	run, err := s.find(ctx, &r.RunRequest)
	if err != nil {
		return nil, err
	}
	if run.Program == "" {
		return nil, fault.Userf("run %s has only just been started: nothing waits for approval yet", run.Name)
	}
	asked, err := approval.Find(ctx, s.reader, run, r.Step)
	if err != nil {
		return nil, err
	}
	answer, err := approval.Answer(asked, approval.Given{Value: r.Value, Valued: r.Valued, Reject: r.Reject, Reason: r.Reason})
	if err != nil {
		return nil, err
	}
	job, err := s.driver(ctx, run)
	if err != nil {
		return nil, err
	}
	if job == nil {
		return nil, fault.Userf("nothing drives run %s any more", run.Name)
	}
	answer.By = s.runs.Username(ctx)
	var before *remote.AnsweredError
	if err := s.runs.Approve(ctx, job, asked, answer); errors.As(err, &before) {
		return nil, fault.As(fault.User, err)
	} else if err != nil {
		return nil, s.classify(ctx, err)
	}
	end, err := s.answered(ctx, run, asked.Name, answer, observer(r.Observe))
	if err != nil {
		return nil, err
	}
	return &orchestrator.Answered{Run: run.Name, End: end}, nil
}

// answered waits until a step has taken an answer.
func (s *session) answered(ctx context.Context, run *record.Run, step string, answer *record.Answer, observe func(record.Event)) (*record.StepEnd, error) {
	end, err := s.runs.AwaitAnswer(ctx, remote.FollowOptions{
		Pipeline: run.Pipeline, Name: run.Name, UID: run.UID, Reader: s.reader, Observe: func(e record.Event) {
			if e.Type != record.StepWaiting || e.Step == "" { // the pods of other steps are not what the caller waits for
				observe(e)
			}
		},
	}, step)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &fault.Fault{Kind: fault.Interrupted, Message: "The answer was given; whether the run takes it is not waited for.", Err: err}
	case err != nil:
		return nil, s.classify(ctx, err)
	case end.Answer == nil || !end.Answer.At.Equal(answer.At):
		return nil, fault.Userf("the answer came too late for %s of run %s: %s", step, run.Name, runs.HowAnswered(end))
	}
	return end, nil
}

// observer returns observe, or a function that does nothing.
func observer(observe func(record.Event)) func(record.Event) {
	if observe == nil {
		return func(record.Event) {}
	}
	return observe
}
