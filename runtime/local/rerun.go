package local

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// RerunPlan is what Rerun will do.
type RerunPlan struct {
	Of *record.Run
	// Resume reports whether the run itself is resumed, as it was recorded; else a new run is started.
	Resume bool
	Steps  []rerun.Decision // in the order of the program
}

// PlanRerun returns which steps `rerun` would run, and why, without doing anything. Options.Program is the pipeline's current
// program; a run that is resumed uses the recorded one.
func PlanRerun(ctx context.Context, o Options, of *record.Run) (*RerunPlan, error) {
	reader, err := runs.Open(o.Project, o.Stack)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	detail, err := reader.Show(ctx, of)
	if err != nil {
		return nil, err
	}
	switch detail.Status {
	case record.Running:
		return nil, refuse(RefusedDriven, "run %s is running", of.Name)
	case record.Lost:
		return &RerunPlan{Of: of, Resume: true, Steps: resumed(detail.Steps)}, nil
	case record.Succeeded:
		return nil, refuse(RefusedEnded, "run %s succeeded: there is nothing to run again", of.Name)
	}
	if o.Program == nil || o.Program.Pipeline != of.Pipeline {
		return nil, refuse(RefusedProgram, "there is no pipeline %q any more, which run %s is of", of.Pipeline, of.Name)
	}
	was, err := reader.Program(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("the program of run %s: %w", of.Name, err)
	}
	only, err := closure(o.Program, of.Only)
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for i := range detail.Steps {
		if s := &detail.Steps[i]; !allPresent(ctx, reader, s) {
			gone[record.Root(s.Name)] = true
		}
	}
	return &RerunPlan{Of: of, Steps: rerun.Decide(was, detail.End, o.Program, only, gone)}, nil
}

// closure returns the closure of the named steps that the program still has.
func closure(p *program.Program, names []string) ([]string, error) {
	var there []string
	for _, s := range p.All() {
		if slices.Contains(names, s.Name) {
			there = append(there, s.Name)
		}
	}
	if len(names) > 0 && len(there) == 0 {
		return nil, refuse(RefusedStep, "none of the steps that the run was limited to is there any more")
	}
	return rerun.Closure(p, there)
}

// resumed returns what a run that is resumed does with its steps.
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

// Rerun does what the plan says.
func Rerun(ctx context.Context, o Options, p *RerunPlan) (Outcome, error) {
	if p.Resume {
		return Resume(ctx, o, p.Of)
	}
	given := params.Of(o.Program, p.Of)
	maps.Copy(given, o.Params)
	o.Params = given
	var err error
	if o.Only, err = closure(o.Program, p.Of.Only); err != nil {
		return Outcome{}, err
	}
	return start(ctx, o, drive.Request{Params: o.Params, Only: o.Only, Of: p.Of, Kept: rerun.Kept(p.Steps)})
}

// allPresent reports whether the outputs of a step are in the store.
func allPresent(ctx context.Context, reader *runs.Reader, s *record.StepEnd) bool {
	return cache.Present(ctx, reader.Store(), s.Outputs)
}
