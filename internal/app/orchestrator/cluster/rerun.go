package cluster

import (
	"context"
	"encoding/json"
	"errors"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/inputs"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/record"
)

// Rerun returns the plan of a rerun: a new run takes over the results of the earlier run.
func (c *Cluster) Rerun(ctx context.Context, r *orchestrator.RerunRequest) (*orchestrator.RerunPlan, error) {
	if err := check(&r.StartRequest); err != nil {
		return nil, err
	}
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	of, err := records.Find(ctx, s.reader, r.Run.Pipeline, r.Run.Name)
	if err != nil {
		return nil, err
	}
	p := c.stack.Program(of.Pipeline)
	var given map[string]json.RawMessage
	if p != nil {
		if given, err = inputs.Some(p, inputs.Given{Files: r.ParamFiles, Texts: r.Params}, func(address string) (*record.Datum, error) { return records.Datum(ctx, s.reader, address) }); err != nil {
			return nil, err
		}
	}
	plan, err := remote.PlanRerun(ctx, s.reader, of, p, given, r.From)
	var no *rerun.RefusedError
	if errors.As(err, &no) && no.Reason == rerun.Succeeded {
		return &orchestrator.RerunPlan{Of: of.Name, Nothing: no.Error()}, nil
	}
	if err != nil {
		return nil, s.classify(ctx, err)
	}
	start := func(ctx context.Context) (*orchestrator.Outcome, error) {
		return c.interruptible(ctx, &r.StartRequest, func(ctx context.Context, s *session) (*prepared, error) {
			return c.startRerun(ctx, s, plan, &r.StartRequest)
		})
	}
	return &orchestrator.RerunPlan{Of: of.Name, Steps: plan.Steps, Start: start}, nil
}

// startRerun starts the run of a plan. A run that was lost gets its end first.
func (c *Cluster) startRerun(ctx context.Context, s *session, plan *remote.RerunPlan, r *orchestrator.StartRequest) (*prepared, error) {
	p := c.stack.Program(plan.Of.Pipeline)
	var err error
	start := plan.Start
	if start.Params, err = s.fill(ctx, p, start.Params); err != nil {
		return nil, err
	}
	if plan.Lost {
		if _, err := remote.EndLost(ctx, s.reader, plan.Of, record.Failed); err != nil {
			return nil, fault.Env(err)
		}
	}
	start.Name = r.Name
	return c.start(ctx, s, p, start, r)
}
