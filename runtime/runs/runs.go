// Package runs reads the records of runs: the list of runs, and for each its status, logs and artifacts, during the run
// and after it. It neither writes to a store nor drives runs.
//
// It reads records from any store. It can determine whether an unfinished run is running or lost, and read logs that
// are not stored yet, only for runs of this machine. For runs of a cluster, the caller provides that (see Ask).
package runs

import (
	"context"
	"io"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Namespace replaces a cluster's namespace in the records of the local driver. No namespace of a cluster can have this
// name, so a cluster may use the same store.
const Namespace = "_local"

// Reader reads the runs of a namespace in a store.
type Reader struct {
	store     store.Store
	work      work.Dir
	namespace string
	live      func(*record.Run) bool // reports whether a run of a cluster is driven; nil: assumed to be
}

// NewReader returns a reader of a namespace's runs in the store. work is the directory of this machine's runs. Closing the
// reader closes the store.
func NewReader(s store.Store, w work.Dir, namespace string) *Reader {
	return &Reader{store: s, work: w, namespace: namespace}
}

// Ask sets a function that reports whether a run of a cluster without an end is still driven. Without it, such runs are
// shown as running. The function is called for each run, and returns true if it doesn't know.
func (r *Reader) Ask(live func(*record.Run) bool) { r.live = live }

// Close closes the store.
func (r *Reader) Close() error {
	if c, ok := r.store.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Store returns the store that the reader reads.
func (r *Reader) Store() store.Store { return r.store }

// Read reads the record of a run.
func (r *Reader) Read(ctx context.Context, namespace, pipeline, name string) (*record.Run, error) {
	return history.Run(ctx, r.store, namespace, pipeline, name)
}

// End reads the end of a run, or returns nil if the run has not ended.
func (r *Reader) End(ctx context.Context, run *record.Run) (*record.End, error) {
	return history.End(ctx, r.store, run)
}

// Program reads the program of a run.
func (r *Reader) Program(ctx context.Context, run *record.Run) (*program.Program, error) {
	return history.Program(ctx, r.store, run)
}

// Driven reports whether a process of this machine drives the run.
func (r *Reader) Driven(run *record.Run) bool {
	w, err := r.work.Run(run.Name)
	return err == nil && w.Held()
}

// status returns the status of the run. end is its end or nil.
func (r *Reader) status(run *record.Run, end *record.End) record.Status {
	switch {
	case end != nil:
		return end.Status
	case run.Namespace != Namespace && (r.live == nil || r.live(run)), run.Namespace == Namespace && r.Driven(run):
		return record.Running
	}
	return record.Lost
}
