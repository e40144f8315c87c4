package runs

import (
	"context"
	"fmt"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// DrivenError reports that a run can't be deleted, because something drives it.
type DrivenError struct{ Run string }

func (e *DrivenError) Error() string { return "run " + e.Run + " is running" }

// Delete removes what a run that has ended, or is lost, has left: its attempts with their logs, its log, its entry in the index
// and its records. Content that is stored by its digest, programs and cached results stay, because other runs may need them. A
// deletion that is interrupted can be repeated.
func (r *Reader) Delete(ctx context.Context, run *record.Run) error {
	end, err := r.End(ctx, run)
	if err != nil {
		return err
	}
	if end == nil && r.status(run, nil) == record.Running {
		return &DrivenError{run.Name}
	}
	// The end goes late: without it, the run would be taken for a lost one.
	for _, key := range []string{
		fmt.Sprintf("attempts/%s/%s/%s", run.Namespace, run.Pipeline, run.Name), run.Dir() + "/log", run.IndexKey(), run.Dir(),
	} {
		if err := store.Remove(ctx, r.store, key); err != nil {
			return err
		}
	}
	if run.Namespace != Namespace {
		return nil
	}
	w, err := r.work.Run(run.Name)
	if err != nil {
		return err
	}
	return work.Remove(w.Path())
}
