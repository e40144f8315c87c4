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

// cancelRemote cancels a run on a cluster, and waits for its end.
func (a *app) cancelRemote(ctx context.Context, stack *program.Stack, name, pipeline string, wait bool) error {
	re, err := a.remotely(ctx, stack)
	if err != nil {
		return err
	}
	defer re.Close()
	run, err := re.find(ctx, pipeline, name)
	if err != nil {
		return err
	}
	end, err := re.reader.End(ctx, run)
	if err != nil {
		return world(err)
	}
	if end != nil {
		return user(fmt.Errorf("run %s has ended already: %s", run.Name, end.Status))
	}
	job, err := re.runs.Job(ctx, run.Name)
	if err != nil {
		return re.fault(err)
	}
	if job == nil || job.UID != run.UID || !job.Live {
		return a.cancelLost(ctx, re, run)
	}
	if err := re.runs.Cancel(ctx, job); err != nil {
		return re.fault(err)
	}
	if !wait {
		fmt.Fprintf(a.stderr, "Run %s is asked to end.\n", run.Name)
		return nil
	}
	fmt.Fprintf(a.stderr, "Run %s is asked to end; waiting for it.\n", run.Name)
	return a.awaitCancelled(ctx, re, run)
}

func (a *app) awaitCancelled(ctx context.Context, re *remotely, run *record.Run) error {
	ctx, s := a.onInterrupt(ctx)
	defer s.stop()
	end, err := re.runs.Follow(ctx, remote.FollowOptions{
		Pipeline: run.Pipeline, Name: run.Name, UID: run.UID, Reader: re.reader, Tell: a.sayWaits,
	})
	switch {
	case s.interrupted():
		fmt.Fprintln(a.stderr, "The run was asked to end; not waiting for it.")
		return said(exitInterrupted)
	case err != nil:
		return re.fault(err)
	case end.Status != record.Cancelled:
		fmt.Fprintf(a.stderr, "Run %s ended by itself before: %s.\n", run.Name, end.Status)
	default:
		fmt.Fprintf(a.stderr, "Run %s is cancelled.\n", run.Name)
	}
	return nil
}

// cancelLost ends a run as it stands: nothing drives it any more.
func (a *app) cancelLost(ctx context.Context, re *remotely, run *record.Run) error {
	end, err := remote.EndLost(ctx, re.reader, run, record.Cancelled)
	if err != nil {
		return world(err)
	}
	if end.Status != record.Cancelled {
		return user(fmt.Errorf("run %s has ended already: %s", run.Name, end.Status))
	}
	fmt.Fprintf(a.stderr, "Run %s, which nothing drove any more, is cancelled.\n", run.Name)
	return nil
}

// find finds a run by its records, or, where its coordinator has written none yet, by its Job. The latest run is that of
// the newest Job where that one is newer than all records.
func (r *remotely) find(ctx context.Context, pipeline, name string) (*record.Run, error) {
	run, err := r.reader.Resolve(ctx, pipeline, name)
	var none *runs.NotFoundError
	if err != nil && !errors.As(err, &none) {
		return nil, world(err)
	}
	latest := name == "" || name == runs.Latest
	if run != nil && !latest || none != nil && len(none.Fits) > 0 {
		if run == nil {
			return nil, usage("%v; `pipec runs` lists them", none)
		}
		return run, nil
	}
	job, err := r.newest(ctx, pipeline, name, latest)
	switch {
	case err != nil && run == nil:
		return nil, world(r.conn.Explain(err))
	case job != nil && (run == nil || job.Created.After(run.CreatedAt) && job.UID != run.UID):
		return &record.Run{
			Version: record.Version, Name: job.Name, Pipeline: job.Pipeline, Namespace: r.conn.Namespace, Stack: r.stack.Name,
			UID: job.UID, CreatedAt: job.Created,
		}, nil
	case run == nil:
		return nil, usage("%v; `pipec runs` lists them", none)
	}
	return run, nil
}

// newest is the Job of that name, or the newest one that goes on; nil where there is none.
func (r *remotely) newest(ctx context.Context, pipeline, name string, latest bool) (*remote.Job, error) {
	if !latest {
		job, err := r.runs.Job(ctx, name)
		if job != nil && pipeline != "" && job.Pipeline != pipeline {
			job = nil
		}
		return job, err
	}
	jobs, err := r.runs.Jobs(ctx)
	var out *remote.Job
	for _, job := range jobs {
		if job.Live && (pipeline == "" || job.Pipeline == pipeline) && (out == nil || job.Created.After(out.Created)) {
			out = &job
		}
	}
	return out, err
}
