package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/record"
)

// RerunPlan describes what Rerun will do.
type RerunPlan struct {
	Of *record.Run
	// Resume reports whether the run itself is resumed, as it was recorded; else a new run is started.
	Resume bool
	Steps  []rerun.Decision // in the order of the program

	params map[string]json.RawMessage // of the new run
}

// PlanRerun returns which steps `rerun` would run, and why, without doing anything. Options.Program is the pipeline's current
// program; a run that is resumed uses the recorded one. Options.Params replace params of the run, and from are the addresses
// of steps that run although they succeeded.
func PlanRerun(ctx context.Context, o Options, of *record.Run, from []string) (*RerunPlan, error) {
	reader, err := o.reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	detail, err := reader.Show(ctx, of)
	if err != nil {
		return nil, err
	}
	if detail.Status == record.Lost && len(o.Params)+len(from) > 0 {
		return nil, drive.Refuse(drive.RefusedEnded, "run %s was killed, and has not ended: its params and steps can't be changed", of.Name).WithHint(
			"`pipec rerun %s` resumes it as it was started, and `pipec cancel %s` ends it.", of.Name, of.Name)
	}
	if detail.Status == record.Lost {
		return &RerunPlan{Of: of, Resume: true, Steps: resumed(detail.Steps)}, nil
	}
	p := &RerunPlan{Of: of}
	change := rerun.Change{From: from}
	if o.Program != nil {
		if p.params, change.Params, err = params.Again(o.Program, of, o.Params); err != nil {
			return nil, drive.AsRefusal(err)
		}
	}
	if err := rerun.Allowed(of, detail.Status, o.Program, change); err != nil {
		return nil, drive.AsRefusal(err)
	}
	was, err := reader.Program(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("the program of run %s: %w", of.Name, err)
	}
	plan, err := rerun.New(of, detail.End, was, o.Program, change, func(s *record.StepEnd) bool {
		return cache.Present(ctx, reader.Store(), s.Outputs)
	})
	var unknown *rerun.UnknownStepError
	if errors.As(err, &unknown) {
		return nil, err
	}
	if err != nil {
		return nil, drive.AsRefusal(err)
	}
	p.Steps = plan.Steps
	return p, nil
}

// resumed returns the decisions about the steps of a run that is resumed.
func resumed(steps []record.StepEnd) []rerun.Decision {
	var out []rerun.Decision
	for i := range steps {
		s := &steps[i]
		switch {
		case s.Status == record.Succeeded:
			out = append(out, rerun.Decision{Step: s.Name, Keep: true})
		case s.Status.Ended():
			out = append(out, rerun.Decision{Step: s.Name, Keep: true, Why: string(s.Status)})
		case s.Status == record.Running:
			out = append(out, rerun.Decision{Step: s.Name, Why: "was running"})
		default:
			out = append(out, rerun.Decision{Step: s.Name, Why: "had not started"})
		}
	}
	return out
}

// Rerun carries out the plan.
func Rerun(ctx context.Context, o Options, p *RerunPlan) (Outcome, error) {
	if p.Resume {
		return Resume(ctx, o, p.Of)
	}
	o.Params, o.ScheduledAt, o.Schedule = p.params, p.Of.ScheduledAt, p.Of.Schedule
	var err error
	if o.Only, err = rerun.Limit(o.Program, p.Of); err != nil {
		return Outcome{}, drive.AsRefusal(err)
	}
	return start(ctx, o, drive.Request{Params: o.Params, Only: o.Only, Of: p.Of, Kept: rerun.Kept(p.Steps), Redone: rerun.Redone(p.Steps)})
}
