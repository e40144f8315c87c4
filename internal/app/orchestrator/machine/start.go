package machine

import (
	"context"
	"encoding/json"
	"errors"
	"maps"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/inputs"
	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Start starts a run and drives it to its end.
func (m *Machine) Start(ctx context.Context, r *orchestrator.StartRequest) (*orchestrator.Outcome, error) {
	p, err := m.stack.Pipeline(r.Pipeline)
	if err != nil {
		return nil, err
	}
	if err := check(r); err != nil {
		return nil, err
	}
	if err := orchestrator.CheckSteps(p, r.Steps); err != nil {
		return nil, err
	}
	o := m.options(p)
	if o.Params, err = inputs.Params(p, inputs.Given{Files: r.ParamFiles, Texts: r.Params}, m.output(ctx)); err != nil {
		return nil, err
	}
	s, err := orchestrator.Schedule(p, r.Schedule)
	if err != nil {
		return nil, err
	}
	if s != nil && (r.Schedule != "" || r.ScheduledAt != nil) { // the run is one of the schedule
		params := maps.Clone(s.Params)
		if params == nil {
			params = map[string]json.RawMessage{}
		}
		maps.Copy(params, o.Params)
		o.Params = params
	}
	o.Name, o.Only, o.Parallel, o.ScheduledAt, o.Schedule = r.Name, r.Steps, r.Parallel, r.ScheduledAt, r.Schedule
	return driveRun(ctx, p, o, r, local.Run)
}

// check refuses what has no meaning where the caller drives the run.
func check(r *orchestrator.StartRequest) error {
	if err := r.Check(); err != nil {
		return err
	}
	if r.Detach {
		return fault.Usagef("--detach is for stacks that run on a cluster: on this machine the command itself drives the run")
	}
	return nil
}

// output reads the output of an earlier run, for a param.
func (m *Machine) output(ctx context.Context) inputs.Lookup {
	return func(address string) (*record.Datum, error) {
		reader, err := m.Reader(ctx)
		if err != nil {
			return nil, err
		}
		defer reader.Close()
		return records.Datum(ctx, reader, address)
	}
}

// Rerun returns the plan of a rerun.
func (m *Machine) Rerun(ctx context.Context, r *orchestrator.RerunRequest) (*orchestrator.RerunPlan, error) {
	if err := check(&r.StartRequest); err != nil {
		return nil, err
	}
	reader, of, err := m.find(ctx, &r.Run)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	p := m.stack.Program(of.Pipeline)
	o := m.options(p)
	if p != nil {
		if o.Params, err = inputs.Some(p, inputs.Given{Files: r.ParamFiles, Texts: r.Params}, m.output(ctx)); err != nil {
			return nil, err
		}
	}
	plan, err := local.PlanRerun(ctx, o, of, r.From)
	var refusal *drive.Refusal
	if errors.As(err, &refusal) && refusal.Code == drive.RefusedEnded && refusal.Hint == "" {
		return &orchestrator.RerunPlan{Of: of.Name, Nothing: refusal.Message}, nil
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	shown := p
	if plan.Resume { // with the program that it was started with
		if shown, err = reader.Program(ctx, of); err != nil {
			return nil, fault.Env(err)
		}
	}
	o.Name, o.Parallel = r.Name, r.Parallel
	start := func(ctx context.Context) (*orchestrator.Outcome, error) {
		return driveRun(ctx, shown, o, &r.StartRequest, func(ctx context.Context, o local.Options) (local.Outcome, error) {
			return local.Rerun(ctx, o, plan)
		})
	}
	return &orchestrator.RerunPlan{Of: of.Name, Resume: plan.Resume, Steps: plan.Steps, Start: start}, nil
}

// driveRun drives a run under the interrupts of the request.
func driveRun(ctx context.Context, p *program.Program, o local.Options, r *orchestrator.StartRequest, run func(context.Context, local.Options) (local.Outcome, error)) (*orchestrator.Outcome, error) {
	inner, force, watch := interrupt.Driven(ctx, r.Interrupts)
	o.Observe, o.Force = r.Observer(p), force
	got, err := run(inner, o)
	out := &orchestrator.Outcome{Followed: true, End: got.End, Interrupted: watch.End() || ctx.Err() != nil}
	if got.Run != nil {
		out.Run = got.Run.Name
	}
	if out.Interrupted && err != nil {
		return out, &fault.Fault{Kind: fault.Interrupted, Message: err.Error(), Err: err}
	}
	return out, classify(ctx, err)
}
