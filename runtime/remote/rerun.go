package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// RerunPlan describes a rerun: a new run that keeps results of an earlier one. On a cluster, a run whose Job is gone never
// continues under its own name, since its records belong to that Job.
type RerunPlan struct {
	Of    *record.Run
	Lost  bool             // the earlier run has no end, and nothing drives it
	Steps []rerun.Decision // in the order of the program
	Start StartOptions     // without name, store and time
}

// PlanRerun returns which steps of a run the pipeline's current program would run again, and why. It changes nothing. The
// error is a *rerun.RefusedError if the run can't be run again. given replaces params of the run, and from are the addresses of
// steps that run although they succeeded. runs.Reader.Ask must have been called on the reader.
func PlanRerun(ctx context.Context, reader *runs.Reader, of *record.Run, now *program.Program, given map[string]json.RawMessage, from []string) (*RerunPlan, error) {
	detail, err := reader.Show(ctx, of)
	if err != nil {
		return nil, err
	}
	p := &RerunPlan{Of: of}
	change := rerun.Change{From: from}
	if now != nil {
		if given, change.Params, err = params.Again(now, of, given); err != nil {
			return nil, err
		}
	}
	if err := rerun.Allowed(of, detail.Status, now, change); err != nil {
		return nil, err
	}
	was, err := reader.Program(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("the program of run %s: %w", of.Name, err)
	}
	end, lost := detail.End, detail.End == nil
	if lost {
		end = lostEnd(detail, record.Failed)
	}
	plan, err := rerun.New(of, end, was, now, change, func(s *record.StepEnd) bool { return cache.Present(ctx, reader.Store(), s.Outputs) })
	if err != nil {
		return nil, err
	}
	p.Lost, p.Steps = lost, plan.Steps
	p.Start = StartOptions{
		Pipeline: of.Pipeline, Only: plan.Only, RerunOf: of.Name, Kept: rerun.Kept(p.Steps), Redone: rerun.Redone(p.Steps), Params: given, ScheduledAt: of.ScheduledAt, Schedule: of.Schedule,
	}
	return p, nil
}

// lostEnd returns the end to record for a lost run.
func lostEnd(d *runs.Detail, status record.Status) *record.End {
	end := &record.End{
		Version: record.Version, Status: status, Reason: record.ReasonLost, At: time.Now().UTC().Round(0),
		Message: "its Job was gone before the run had ended",
	}
	for _, s := range d.Steps {
		switch {
		case s.Status.Ended():
		case s.Status == record.Running:
			s.Status, s.Reason, s.Message, s.EndedAt = record.Cancelled, record.ReasonLost, "it ran when the run was lost", end.At
		default:
			s.Status, s.Reason, s.Message = record.Skipped, record.ReasonStopped, "the run was lost before it started"
		}
		end.Steps = append(end.Steps, s)
	}
	return end
}

// EndLost records the end of a lost run. It never overwrites another end, and returns the end that is recorded.
func EndLost(ctx context.Context, reader *runs.Reader, of *record.Run, status record.Status) (*record.End, error) {
	detail, err := reader.Show(ctx, of)
	if err != nil {
		return nil, err
	}
	if detail.End != nil {
		return detail.End, nil
	}
	if detail.Status != record.Lost {
		return nil, fmt.Errorf("run %s is running", of.Name)
	}
	end := lostEnd(detail, status)
	if err := store.WriteJSON(ctx, reader.Store(), of.EndKey(), end, store.IfAbsent); err != nil {
		if other, readErr := reader.End(ctx, of); readErr == nil && other != nil {
			return other, nil
		}
		return nil, fmt.Errorf("the end of run %s could not be recorded: %w", of.Name, err)
	}
	return end, nil
}
