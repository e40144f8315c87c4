package main

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// approveRemote answers an approval of a run on a cluster, and waits until its coordinator has taken the answer.
func (a *app) approveRemote(ctx context.Context, stack *program.Stack, name, step string, o answerOptions) error {
	re, err := a.remotely(ctx, stack)
	if err != nil {
		return err
	}
	defer re.Close()
	run, err := re.find(ctx, o.pipeline, name)
	if err != nil {
		return err
	}
	if run.Program == "" {
		return user(fmt.Errorf("run %s has only just been started: nothing waits for approval yet", run.Name))
	}
	asked, err := findApproval(ctx, re.reader, run, step)
	if err != nil {
		return err
	}
	answer, err := o.answer(asked)
	if err != nil {
		return err
	}
	job, err := re.runs.Job(ctx, run.Name)
	if err != nil {
		return re.fault(err)
	}
	if job == nil || job.UID != run.UID || !job.Live {
		return user(fmt.Errorf("nothing drives run %s any more", run.Name))
	}
	answer.By = re.runs.Who(ctx)
	var before *remote.AnsweredError
	if err := re.runs.Approve(ctx, job, asked, answer); errors.As(err, &before) {
		return user(err)
	} else if err != nil {
		return re.fault(err)
	}
	return a.awaitAnswered(ctx, re, run, asked.Name, answer, o.output)
}

func (a *app) awaitAnswered(ctx context.Context, re *remotely, run *record.Run, step string, answer *record.Answer, output string) error {
	ctx, s := a.onInterrupt(ctx)
	defer s.stop()
	end, err := re.runs.AwaitAnswer(ctx, remote.FollowOptions{
		Pipeline: run.Pipeline, Name: run.Name, UID: run.UID, Reader: re.reader, Tell: func(e record.Event) {
			if e.Type != record.StepWaiting || e.Step == "" { // other steps' pods are not what is waited for
				a.sayWaits(e)
			}
		},
	}, step)
	switch {
	case s.interrupted():
		return a.leftAnswer()
	case err != nil:
		return re.fault(err)
	case end.Answer == nil || !end.Answer.At.Equal(answer.At):
		return user(fmt.Errorf("the answer came too late for %s of run %s: %s", step, run.Name, runs.HowAnswered(end)))
	}
	return a.sayAnswered(run, end, output)
}
