package cluster

import (
	"context"
	"errors"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/remote"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Logs passes on the log lines of a run. The lines of a run that has ended are read from the store, and need no cluster.
func (c *Cluster) Logs(ctx context.Context, r *orchestrator.LogsRequest) error {
	reader, err := c.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	run, err := reader.Resolve(ctx, r.Pipeline, r.Name)
	var none *runs.NotFoundError
	if err != nil && !errors.As(err, &none) {
		return fault.Env(err)
	}
	if run != nil && !latest(r.Name) {
		if ended, err := stored(ctx, reader, run, r); ended || err != nil {
			return err
		}
	}
	s, err := c.open(ctx)
	if err != nil && run == nil {
		return err
	}
	if err != nil {
		c.stack.Notify(notice.Infof("Lines that are not stored yet are missing: %v", err))
		return readStored(ctx, reader, run, r)
	}
	defer s.Close()
	if run, err = s.find(ctx, &r.RunRequest); err != nil {
		return err
	}
	if ended, err := stored(ctx, s.reader, run, r); ended || err != nil {
		return err
	}
	return s.logs(ctx, run, r)
}

// stored passes on the lines of a run that has ended. It reports whether the run has.
func stored(ctx context.Context, reader *runs.Reader, run *record.Run, r *orchestrator.LogsRequest) (ended bool, err error) {
	end, err := reader.End(ctx, run)
	if err != nil || end == nil {
		return false, fault.Env(err)
	}
	return true, readStored(ctx, reader, run, r)
}

func readStored(ctx context.Context, reader *runs.Reader, run *record.Run, r *orchestrator.LogsRequest) error {
	o := r.LogOptions
	o.Follow = false
	err := reader.Logs(ctx, run, o, r.Line)
	if err != nil && ctx.Err() != nil {
		return fault.Interruption(ctx, err)
	}
	return records.NoStep(err)
}

// logs passes on the lines of a run that has no end.
func (s *session) logs(ctx context.Context, run *record.Run, r *orchestrator.LogsRequest) error {
	recorded, err := s.reader.Read(ctx, run.Namespace, run.Pipeline, run.Name)
	if err == nil {
		if err := s.reader.CheckSteps(ctx, recorded, r.Steps); err != nil {
			return records.NoStep(err)
		}
	}
	switch {
	case r.Follow:
		return s.followLogs(ctx, run, r)
	case err != nil:
		s.stack.Notify(notice.Infof("Run %s has not begun yet; --follow waits for it.", run.Name))
		return nil
	}
	err = s.runs.Logs(ctx, s.reader, recorded, r.LogOptions, r.Line)
	var behind *remote.BehindError
	if errors.As(err, &behind) && ctx.Err() == nil {
		s.stack.Notify(notice.Warning(behind.Error()))
		return nil
	}
	return s.classify(ctx, err)
}

// followLogs passes on lines until the run ends.
func (s *session) followLogs(ctx context.Context, run *record.Run, r *orchestrator.LogsRequest) error {
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	observe := observer(r.Observe)
	_, err := s.runs.Follow(inner, remote.FollowOptions{
		Pipeline: run.Pipeline, Name: run.Name, UID: run.UID, Reader: s.reader, Lines: true, Late: true,
		Select: r.LogOptions, Observe: func(e record.Event) {
			if e.Type != record.StepLog {
				observe(e)
			} else if err := r.Line(e); err != nil {
				stop(err)
			}
		},
	})
	return s.classify(ctx, err)
}
