// Package history reads what one run has recorded: its record, its program, its end, and its log, which it folds with the
// engine. Drivers that take a run over use it, and so does runtime/runs, which shows runs to users.
//
// It writes nothing, and it does not know whether a run is still driven.
package history

import (
	"context"
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Run reads the record of a run. The error is store.ErrNotExist if there is no such run.
func Run(ctx context.Context, s store.Store, namespace, pipeline, name string) (*record.Run, error) {
	key := (&record.Run{Namespace: namespace, Pipeline: pipeline, Name: name}).RunKey()
	run, err := store.ReadJSON[record.Run](ctx, s, key)
	return &run, err
}

// End reads the end of a run; nil if the run has not ended.
func End(ctx context.Context, s store.Store, run *record.Run) (*record.End, error) {
	return readIfExists[record.End](ctx, s, run.EndKey())
}

// Program reads the program of a run, and verifies its digest.
func Program(ctx context.Context, s store.Store, run *record.Run) (*program.Program, error) {
	key := record.ProgramKey(run.Program)
	data, err := store.ReadAll(ctx, s, key)
	if err != nil {
		return nil, err
	}
	if got := program.Digest(data); got != run.Program {
		return nil, &store.CorruptError{Key: key, Want: run.Program, Got: got}
	}
	return program.Decode(data)
}

// Result reads what an attempt has committed; nil if it has not committed anything. A result that lacks the seal of its attempt
// does not count.
func Result(ctx context.Context, s store.Store, run *record.Run, id record.AttemptID) (*record.Result, error) {
	key := run.AttemptDir(id.Step, id.Attempt) + "/result.json"
	if !run.Sealed {
		return readIfExists[record.Result](ctx, s, key)
	}
	data, err := store.ReadAll(ctx, s, key)
	if errors.Is(err, store.ErrNotExist) || err == nil && !record.Sealed(run.SealKey(id.Step, id.Attempt), record.SealResult, data) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r record.Result
	if err := store.DecodeJSON(data, &r); err != nil {
		return nil, fmt.Errorf("the record %s: %w", key, err)
	}
	return &r, nil
}

// readIfExists reads a record; nil if there is none.
func readIfExists[T any](ctx context.Context, s store.Store, key string) (*T, error) {
	v, err := store.ReadJSON[T](ctx, s, key)
	switch {
	case errors.Is(err, store.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &v, nil
}
