// Package records reads what runs have left for a user who names a run by a word and an output by a path. The reading
// itself is runtime/runs; here names are resolved, and what is not found is a fault.
package records

import (
	"context"
	"errors"
	"strings"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Find finds a run by its name, the start of its name, or "latest". An empty pipeline means any.
func Find(ctx context.Context, reader *runs.Reader, pipeline, name string) (*record.Run, error) {
	run, err := reader.Resolve(ctx, pipeline, name)
	return run, NotFound(err)
}

// NotFound makes an error of runs.Reader.Resolve a fault.
func NotFound(err error) error {
	var none *runs.NotFoundError
	if errors.As(err, &none) {
		return fault.Usagef("%w; `pipec runs` lists the runs", none)
	}
	return fault.Env(err)
}

// Records reads the records of a stack's runs.
type Records struct{ reader *runs.Reader }

// New reads with reader, which Close closes.
func New(reader *runs.Reader) *Records { return &Records{reader} }

// Close closes the reader.
func (r *Records) Close() error { return r.reader.Close() }

// List passes on the runs of a pipeline, or of all for "", the newest first, until each returns false.
func (r *Records) List(ctx context.Context, pipeline string, each func(runs.Summary) (bool, error)) error {
	for s, err := range r.reader.List(ctx, pipeline) {
		if err != nil {
			return fault.Env(err)
		}
		if more, err := each(s); err != nil || !more {
			return fault.Env(err)
		}
	}
	return nil
}

// Show reads the state of a run with its steps.
func (r *Records) Show(ctx context.Context, pipeline, name string) (*runs.Detail, error) {
	run, err := Find(ctx, r.reader, pipeline, name)
	if err != nil {
		return nil, err
	}
	d, err := r.reader.Show(ctx, run)
	return d, fault.Env(err)
}

// Program reads the program of a run.
func (r *Records) Program(ctx context.Context, name string) (*program.Program, error) {
	run, err := Find(ctx, r.reader, "", name)
	if err != nil {
		return nil, err
	}
	p, err := r.reader.Program(ctx, run)
	return p, fault.Env(err)
}

// Waiting returns the addresses of a run's steps that wait for approval.
func (r *Records) Waiting(ctx context.Context, name string) ([]string, error) {
	d, err := r.Show(ctx, "", name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range d.Waiting() {
		out = append(out, s.Name)
	}
	return out, nil
}

// Lines passes on the log lines of a step.
func (r *Records) Lines(ctx context.Context, name, step string, line func(record.Event)) error {
	run, err := Find(ctx, r.reader, "", name)
	if err != nil {
		return err
	}
	return fault.Env(r.reader.Logs(ctx, run, runs.LogOptions{Steps: []string{step}}, func(e record.Event) error {
		line(e)
		return nil
	}))
}

// Datum reads the output that RUN/STEP/OUTPUT names.
func Datum(ctx context.Context, reader *runs.Reader, address string) (*record.Datum, error) {
	name, path, ok := strings.Cut(address, "/")
	if !ok || name == "" || path == "" {
		return nil, fault.Usagef("%q is not of the form RUN/STEP/OUTPUT", address)
	}
	item, err := New(reader).Item(ctx, "", name, path)
	if err != nil {
		return nil, err
	}
	return &item.Datum, nil
}
