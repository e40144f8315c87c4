package cluster

import (
	"context"
	"errors"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Latest returns the name of the newest run of a pipeline, or of all for "". A run counts as soon as it has a Job.
func (c *Cluster) Latest(ctx context.Context, pipeline string) (string, error) {
	s, err := c.open(ctx)
	if err != nil {
		return "", err
	}
	defer s.Close()
	run, err := s.find(ctx, &orchestrator.RunRequest{Pipeline: pipeline})
	if err != nil {
		return "", err
	}
	return run.Name, nil
}

// find finds a run by its records, or by its Job if its coordinator has written no records yet. The latest run is that of
// the newest live Job if that Job is newer than all records.
func (s *session) find(ctx context.Context, r *orchestrator.RunRequest) (*record.Run, error) {
	run, err := s.reader.Resolve(ctx, r.Pipeline, r.Name)
	var none *runs.NotFoundError
	if err != nil && !errors.As(err, &none) {
		return nil, fault.Env(err)
	}
	latest := latest(r.Name)
	switch {
	case run != nil && !latest:
		return run, nil
	case none != nil && len(none.Fits) > 0:
		return nil, records.NotFound(none)
	}
	job, err := s.job(ctx, r, latest)
	switch {
	case err != nil && run == nil:
		return nil, fault.Env(s.conn.Explain(err))
	case job != nil && (run == nil || job.Created.After(run.CreatedAt) && job.UID != run.UID):
		return &record.Run{
			Version: record.Version, Name: job.Name, Pipeline: job.Pipeline, Namespace: s.conn.Namespace, Stack: s.stack.Stack.Name,
			UID: job.UID, CreatedAt: job.Created,
		}, nil
	case run == nil:
		return nil, records.NotFound(none)
	}
	return run, nil
}

func latest(name string) bool { return name == "" || name == runs.Latest }

// job returns the Job with the run's name, or the newest live one; nil if there is none.
func (s *session) job(ctx context.Context, r *orchestrator.RunRequest, latest bool) (*remote.Job, error) {
	if !latest {
		job, err := s.runs.Job(ctx, r.Name)
		if job != nil && r.Pipeline != "" && job.Pipeline != r.Pipeline {
			job = nil
		}
		return job, err
	}
	jobs, err := s.runs.Jobs(ctx)
	var out *remote.Job
	for _, job := range jobs {
		if job.Live && (r.Pipeline == "" || job.Pipeline == r.Pipeline) && (out == nil || job.Created.After(out.Created)) {
			out = &job
		}
	}
	return out, err
}

// driver returns the live Job of a run; nil if nothing drives the run any more.
func (s *session) driver(ctx context.Context, run *record.Run) (*remote.Job, error) {
	job, err := s.runs.Job(ctx, run.Name)
	if err != nil {
		return nil, s.classify(ctx, err)
	}
	if job == nil || job.UID != run.UID || !job.Live {
		return nil, nil
	}
	return job, nil
}
