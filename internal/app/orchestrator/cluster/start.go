package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/inputs"
	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Start updates the pipeline's definition, starts a run, and follows it where the stack or the request says so.
func (c *Cluster) Start(ctx context.Context, r *orchestrator.StartRequest) (*orchestrator.Outcome, error) {
	p, err := c.stack.Pipeline(r.Pipeline)
	if err != nil {
		return nil, err
	}
	if err := check(r); err != nil {
		return nil, err
	}
	return c.interruptible(ctx, r, func(ctx context.Context, s *session) (*prepared, error) {
		given, err := inputs.Params(p, inputs.Given{Files: r.ParamFiles, Texts: r.Params}, func(address string) (*record.Datum, error) { return records.Datum(ctx, s.reader, address) })
		if err != nil {
			return nil, err
		}
		s0, err := orchestrator.Schedule(p, r.Schedule)
		if err != nil {
			return nil, err
		}
		if s0 != nil { // the schedule's params hold for this run too, unless others are given
			given = merged(s0.Params, given)
		}
		start := remote.StartOptions{Pipeline: p.Pipeline, Name: r.Name, ScheduledAt: r.ScheduledAt, Schedule: r.Schedule}
		if start.Params, err = s.fill(ctx, p, given); err != nil {
			return nil, err
		}
		if len(r.Steps) > 0 {
			if start.Only, err = rerun.Closure(p, r.Steps); err != nil {
				return nil, s.classify(ctx, err)
			}
		}
		if r.Name != "" {
			if err := remote.CheckName(r.Name); err != nil {
				return nil, s.classify(ctx, err)
			}
		}
		return c.start(ctx, s, p, start, r)
	})
}

// check refuses what has no meaning on a cluster.
func check(r *orchestrator.StartRequest) error {
	if err := r.Check(); err != nil {
		return err
	}
	if r.Parallel > 0 {
		return fault.Usagef("--parallel is for stacks that run steps on this machine: on a cluster, max_parallel of the pipeline bounds the steps")
	}
	return nil
}

// prepared is a run that was started.
type prepared struct {
	program *program.Program
	follow  bool
	options remote.FollowOptions
}

// interruptible starts a run with prepare, whose context the first interrupt ends, and then follows the run.
func (c *Cluster) interruptible(ctx context.Context, r *orchestrator.StartRequest, prepare func(context.Context, *session) (*prepared, error)) (*orchestrator.Outcome, error) {
	inner, watch := interrupt.Context(ctx, r.Interrupts)
	defer watch.End()
	s, err := c.open(inner)
	var started *prepared
	if err == nil {
		defer s.Close()
		started, err = prepare(inner, s)
	}
	stopped := inner.Err() != nil
	stopped = watch.End() || stopped
	switch {
	case err != nil && stopped:
		return nil, interrupted(inner, err)
	case err != nil:
		return nil, err
	case stopped: // the run has started nevertheless
		return &orchestrator.Outcome{Run: started.options.Name}, continues(started.options.Name, "continues", nil)
	case !started.follow:
		return &orchestrator.Outcome{Run: started.options.Name}, nil
	}
	return s.follow(ctx, started, r)
}

// interrupted makes err an interruption, unless it is one already.
func interrupted(ctx context.Context, err error) error {
	if fault.KindOf(err) == fault.Interrupted {
		return err
	}
	return fault.Interruption(ctx, err)
}

// start updates the definition of p and starts a run.
func (c *Cluster) start(ctx context.Context, s *session, p *program.Program, start remote.StartOptions, r *orchestrator.StartRequest) (*prepared, error) {
	follow := !r.Detach && (r.Follow || c.stack.Stack.Orchestrator.Synchronous)
	check := s.readable
	if !follow {
		check = func(ctx context.Context) error {
			return c.definitions.CheckStore(ctx, s.reader.Store(), s.conn.Namespace)
		}
	}
	if err := check(ctx); err != nil {
		return nil, err
	}
	if err := c.definitions.Update(ctx, c.stack.Compiled, c.stack.Stack, p.Pipeline, s.conn); err != nil {
		return nil, err
	}
	start.Store, start.Now = s.reader.Store(), time.Now()
	job, err := s.runs.Start(ctx, start)
	if err != nil {
		return nil, s.classify(ctx, err)
	}
	return &prepared{p, follow, remote.FollowOptions{
		Pipeline: p.Pipeline, Name: job.Name, UID: string(job.UID), Reader: s.reader, Lines: !r.NoLines,
	}}, nil
}

// follow follows a run to its end.
func (s *session) follow(ctx context.Context, p *prepared, r *orchestrator.StartRequest) (*orchestrator.Outcome, error) {
	inner, cancel, watch := interrupt.Followed(ctx, r.Interrupts)
	p.options.Observe, p.options.Cancel = r.Observer(p.program), cancel
	end, err := s.runs.Follow(inner, p.options)
	left := inner.Err() != nil
	asked := watch.Asked()
	out := &orchestrator.Outcome{Run: p.options.Name, Followed: true, End: end, Interrupted: asked}
	switch {
	case left && end == nil:
		what := "continues"
		if asked {
			what = "was asked to end"
		}
		return out, continues(p.options.Name, what, err)
	case err != nil:
		return out, s.classify(ctx, err)
	case end.Reason == record.ReasonImport && !asked:
		return out, &fault.Fault{Kind: fault.Environment} // the end of the run names the params that could not be imported
	}
	return out, nil
}

// continues is the fault that the caller has left a run.
func continues(run, what string, err error) error {
	return &fault.Fault{Kind: fault.Interrupted, Message: fmt.Sprintf("Run %s %s.", run, what), Err: err}
}

// fill fills in defaults, and uploads what only this machine has.
func (s *session) fill(ctx context.Context, p *program.Program, given map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	filled, err := params.Fill(p, given)
	if err != nil {
		return nil, s.classify(ctx, err)
	}
	return s.upload(ctx, filled.Imports, given)
}

// upload brings artifacts that only this machine has into the store. The coordinator imports the others.
func (s *session) upload(ctx context.Context, all []record.Import, given map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	var here []record.Import
	for i := range all {
		src, err := program.ParseSource(all[i].Source)
		if all[i].Empty() && (strings.HasPrefix(all[i].Source, record.FromFile) || err == nil && src.Path != "") {
			here = append(here, all[i])
		}
	}
	if len(here) == 0 {
		return given, nil
	}
	o := imports.Options{Project: s.stack.Dir(), Stack: s.stack.Stack.ArtifactStore, Begin: func(i *record.Import) {
		s.stack.Notify(notice.Infof("Uploading %s from %s.", i.Name, strings.TrimPrefix(i.Source, record.FromFile)))
	}}
	err := imports.Fetch(ctx, s.reader.Store(), o, here)
	var bad *imports.Fault
	switch {
	case errors.As(err, &bad) && !bad.Environment:
		return nil, fault.As(fault.User, bad)
	case err != nil:
		return nil, fault.Env(err)
	}
	out := merged(given)
	for i := range here {
		if out[here[i].Name], err = params.Give(&here[i]); err != nil {
			return nil, fault.Env(err)
		}
	}
	return out, nil
}

// readable returns a fault if the store can't be read, because the run could not be followed.
func (s *session) readable(ctx context.Context) error {
	err := store.Readable(ctx, s.reader.Store(), s.conn.Namespace)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Interruption(ctx, err)
	}
	return &fault.Fault{Kind: fault.Environment, Message: err.Error(), Hint: "Nothing was applied, and no run was started. `pipec stack check` checks the store again.", Err: err}
}

// merged are all params, the later ones before the earlier.
func merged(all ...map[string]json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}
