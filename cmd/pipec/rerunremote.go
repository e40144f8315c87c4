package main

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/compiler"
	runparams "pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// rerunRemote starts a run on a cluster that takes over what another has done.
func (a *app) rerunRemote(ctx context.Context, r *compiler.Result, stack *program.Stack, pipeline, name string, dryRun bool, o runOptions) error {
	if o.parallel > 0 {
		return usage("--parallel is for stacks that run steps on this machine; on a cluster the pipeline's max_parallel bounds them")
	}
	re, err := a.remotely(ctx, stack)
	if err != nil {
		return err
	}
	defer re.Close()
	of, err := resolve(ctx, re.reader, pipeline, name)
	if err != nil {
		return err
	}
	p := r.Program(of.Pipeline)
	plan, err := remote.PlanRerun(ctx, re.reader, of, p)
	var no *remote.NoRerunError
	if errors.As(err, &no) && no.Ended {
		fmt.Fprintln(a.stderr, no)
		return nil
	}
	if err != nil {
		return re.fault(err)
	}
	if err := a.sayRerun(of.Name, false, plan.Steps, o.show, dryRun); err != nil || dryRun {
		return err
	}
	filled, err := runparams.Fill(p, plan.Start.Params)
	if err != nil {
		return re.fault(err)
	}
	if plan.Start.Params, err = a.upload(ctx, re, filled.Imports, plan.Start.Params); err != nil {
		return err
	}
	if plan.Lost {
		if _, err := remote.EndLost(ctx, re.reader, of, record.Failed); err != nil {
			return world(err)
		}
	}
	plan.Start.Name = o.name
	return a.startRemote(ctx, r, p, re, plan.Start, o)
}
