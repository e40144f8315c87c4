package drive

import (
	"context"
	"encoding/json"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/runtime/lastsuccess"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Request is what a new run was asked to be.
type Request struct {
	Params map[string]json.RawMessage // values, and artifacts as params.Give writes them
	Only   []string                   // the steps to run, together with those that they need; empty: all
	Of     *record.Run                // the run that this one reruns; nil: it is not a rerun
	Kept   []string                   // the steps whose results a rerun takes over
	Redone []string                   // the addresses of the parts of Kept steps that are left out
}

// Describe completes the record of a new run: its params, its steps, and the outputs of earlier runs that it reads. The
// error is a *Refusal if the request can't be met. It writes nothing.
func (r *Request) Describe(ctx context.Context, s store.Store, p *program.Program, run *record.Run) error {
	return AsRefusal(r.describe(ctx, s, p, run))
}

func (r *Request) describe(ctx context.Context, s store.Store, p *program.Program, run *record.Run) error {
	filled, err := params.Fill(p, r.Params)
	if err != nil {
		return err
	}
	run.Params, run.Imports = filled.Values, filled.Imports
	if len(r.Only) > 0 {
		if run.Only, err = rerun.Closure(p, r.Only); err != nil {
			return err
		}
	}
	if r.Of != nil {
		run.RerunOf, run.Kept, run.Redone = r.Of.Name, r.Kept, r.Redone
	}
	run.LastSuccess, err = lastsuccess.Find(ctx, s, p, run, r.Of)
	return err
}

// Start is a request, and how a driver meets it.
type Start struct {
	Request
	Imports imports.Options
	// Equip checks and provides what else the run needs, before artifacts are imported; may be nil.
	Equip func(context.Context) error
	// RefuseEnvironment also refuses a run if an import fails because of the environment, and would fail again. It is for a
	// driver without a user in front of it.
	RefuseEnvironment bool
}

// Prepare does all that precedes the recording of a new run: it completes the record, and imports the artifacts that the
// run is started with. It returns the StepKept events that the run starts with. The error is a *Refusal if the run
// can't be started.
func (s *Start) Prepare(ctx context.Context, st store.Store, p *program.Program, run *record.Run) ([]record.Event, error) {
	if err := s.Describe(ctx, st, p, run); err != nil {
		return nil, err
	}
	kept, err := history.KeptEvents(ctx, st, s.Of, s.Kept, s.Redone)
	if err != nil {
		return nil, err
	}
	if s.Equip != nil {
		if err := s.Equip(ctx); err != nil {
			return nil, err
		}
	}
	err = imports.Fetch(ctx, st, s.Imports, run.Imports)
	switch {
	case err == nil:
		return kept, nil
	case s.RefuseEnvironment:
		return nil, refuseImport(err)
	}
	return nil, AsRefusal(err)
}
