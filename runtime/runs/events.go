package runs

import (
	"context"

	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/schema/record"
)

// Named reads the record of the run with exactly this name. Unlike Resolve, it doesn't search the list of runs. The error is a
// *NotFoundError if there is no such run.
func (r *Reader) Named(ctx context.Context, pipeline, name string) (*record.Run, error) {
	run, err := r.Read(ctx, r.namespace, pipeline, name)
	if isNotExist(err) {
		return nil, &NotFoundError{Name: name, Pipeline: pipeline}
	}
	return run, err
}

// Events passes on the events of the run's log that are stored, in order, until each returns an error. The log is written
// behind the work of a run, so the last events may be missing.
func (r *Reader) Events(ctx context.Context, run *record.Run, each func(*record.Event) error) error {
	for segment, err := range journal.Read(ctx, r.store, run) {
		if err != nil {
			return err
		}
		for i := range segment.Events {
			if err := each(&segment.Events[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
