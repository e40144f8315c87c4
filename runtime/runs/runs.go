// Package runs reads what runs have left: which there are, how each stands, its logs and its artifacts, while it goes on
// and after its end. It writes nothing to a store, and drives nothing.
//
// It reads records from anywhere. Whether a run that has no end is running or lost, and logs that are not stored yet,
// it knows of runs of this machine alone; of those of a cluster it must be told (see Ask).
package runs

import (
	"context"
	"fmt"
	"path/filepath"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Namespace is what stands for a cluster's namespace in the records of the local driver.
const Namespace = "local"

// Store is an artifact store that is open.
type Store interface {
	store.Store
	Close() error
}

// OpenStore opens the artifact store of a stack, for a project's directory. It asks a server nothing yet.
func OpenStore(project string, s program.Store) (Store, error) {
	switch s.Kind {
	case "local":
	case "s3":
		return s3.Open(context.Background(), s, s3.Options{})
	default:
		return nil, fmt.Errorf("there is no artifact store of kind %q: local and s3 are", s.Kind)
	}
	path := s.Path
	if !filepath.IsAbs(path) {
		path = filepath.Join(project, path)
	}
	return store.OpenLocal(path)
}

// Reader reads the runs in a store.
type Reader struct {
	store store.Store
	work  work.Dir
	live  func(*record.Run) bool // whether a run of a cluster is driven; nil: it is taken to be
}

// NewReader reads the store; work is where the runs of this machine work.
func NewReader(s store.Store, w work.Dir) *Reader { return &Reader{store: s, work: w} }

// Open opens what the commands that read runs need; close it after use.
func Open(project string, stack *program.Stack) (*Reader, error) {
	w, err := work.In(project)
	if err != nil {
		return nil, err
	}
	s, err := OpenStore(project, stack.ArtifactStore)
	if err != nil {
		return nil, err
	}
	return NewReader(s, w), nil
}

// Ask lets the reader ask whether something drives a run of a cluster that has no end: without, it is shown as running.
// It is asked again for each run, and answers true where it doesn't know.
func (r *Reader) Ask(live func(*record.Run) bool) { r.live = live }

// Close closes the store.
func (r *Reader) Close() error {
	if c, ok := r.store.(Store); ok {
		return c.Close()
	}
	return nil
}

// Store is what is read.
func (r *Reader) Store() store.Store { return r.store }

// Read reads the record of a run.
func (r *Reader) Read(ctx context.Context, namespace, pipeline, name string) (*record.Run, error) {
	return history.Run(ctx, r.store, namespace, pipeline, name)
}

// End reads the end of a run; nil if it has not ended.
func (r *Reader) End(ctx context.Context, run *record.Run) (*record.End, error) {
	return history.End(ctx, r.store, run)
}

// Program reads the program of a run.
func (r *Reader) Program(ctx context.Context, run *record.Run) (*program.Program, error) {
	return history.Program(ctx, r.store, run)
}

// Driven says whether a process of this machine drives the run.
func (r *Reader) Driven(run *record.Run) bool {
	w, err := r.work.Run(run.Name)
	return err == nil && w.Held()
}

// status is how the run stands, end being its end or nil.
func (r *Reader) status(run *record.Run, end *record.End) record.Status {
	switch {
	case end != nil:
		return end.Status
	case run.Namespace != Namespace && (r.live == nil || r.live(run)), run.Namespace == Namespace && r.Driven(run):
		return record.Running
	}
	return record.Lost
}
