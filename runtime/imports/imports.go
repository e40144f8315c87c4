// Package imports stores the artifacts that a run is started with, before any step of the run starts: files of this machine,
// and objects of S3. Each is read as a stream, stored by its digest, and checked like an output of a step: a file that is
// not what its type declares prevents the run.
//
// It decides nothing about params (runtime/params does), and does not follow links out of the project.
package imports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Options are where artifacts are imported from, and how.
type Options struct {
	// Project is the directory that paths are relative to. "": no files can be imported here.
	Project string
	// Stack is the stack's own store: if it is in S3, buckets are at the same server and are read in the same way.
	Stack   program.Store
	Environ func(string) (string, bool) // where credentials are looked up; nil: this process's environment
	Memory  int64                       // bounds the memory for objects that are being copied; 0: as s3.Options
	Grace   time.Duration               // how long S3 may be unavailable
	Waits   func(error)                 // is called while S3 is unavailable; may be nil
	// Begin is called before each import; may be nil.
	Begin func(*record.Import)
}

// Fault is the reason why something can't be imported.
type Fault struct {
	Message     string
	Environment bool // the cause is the environment (a server, a disk, permissions), and not what the user has written
	Again       bool // a later attempt may succeed
}

func (f *Fault) Error() string { return f.Message }

// Fetch imports the artifacts of a run's list that are Empty, and checks that the store has the others. The error is a *Fault,
// or that of the context.
func Fetch(ctx context.Context, st store.Store, o Options, list []record.Import) error {
	f := fetcher{o: &o, store: st}
	defer f.close()
	for i := range list {
		one := &list[i]
		if !one.Empty() {
			if !cache.Present(ctx, st, []record.Datum{one.Datum}) && ctx.Err() == nil {
				return &Fault{Message: fmt.Sprintf("param %q: its content, which was imported from %s, is not in the store", one.Name, one.Source)}
			}
			continue
		}
		if o.Begin != nil {
			o.Begin(one)
		}
		artifact, err := f.fetch(ctx, one)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return explain(one, err)
		}
		one.Artifact = artifact
	}
	return nil
}

type fetcher struct {
	o       *Options
	store   store.Store
	buckets map[string]*bucket
}

func (f *fetcher) fetch(ctx context.Context, one *record.Import) (*record.Artifact, error) {
	t, err := types.ParseString(one.Type)
	if err != nil {
		return nil, err
	}
	kind, ok := types.AsArtifact(t)
	if !ok {
		return nil, &Fault{Message: "a source is one file, one object or one directory"}
	}
	if path, ok := strings.CutPrefix(one.Source, record.FromFile); ok {
		return f.file(ctx, path, kind)
	}
	s, err := program.ParseSource(one.Source)
	switch {
	case err != nil:
		return nil, &Fault{Message: err.Error()}
	case s.Path != "":
		path, err := f.inProject(s.Path)
		if err != nil {
			return nil, err
		}
		return f.file(ctx, path, kind)
	}
	return f.object(ctx, s, kind)
}

// inProject returns the absolute path of a file of the project.
func (f *fetcher) inProject(path string) (string, error) {
	if f.o.Project == "" {
		return "", &Fault{Message: "it is a file of the project, which is not available here: start the run with `pipec run`, which uploads it, or import from s3://"}
	}
	root, err := os.OpenRoot(f.o.Project)
	if err != nil {
		return "", err
	}
	defer root.Close()
	if _, err := root.Stat(filepath.FromSlash(path)); err != nil {
		if !errors.Is(err, os.ErrNotExist) && strings.Contains(err.Error(), "escapes") {
			return "", &Fault{Message: "a symbolic link leads out of the project: set the file that it points to with --param NAME=@PATH"}
		}
		return "", err
	}
	return filepath.Join(f.o.Project, filepath.FromSlash(path)), nil
}

// file stores a file or a directory of this machine.
func (f *fetcher) file(ctx context.Context, path string, kind types.Artifact) (*record.Artifact, error) {
	if f.o.Project == "" {
		return nil, &Fault{Message: "it is a file of another machine"}
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	format, err := step.CheckFile(path, kind)
	if err != nil {
		return nil, err
	}
	a, err := store.Save(ctx, f.store, path, false)
	a.Format = format
	return &a, err
}

// explain returns why an import failed, and its cause.
func explain(one *record.Import, err error) error {
	from := strings.TrimPrefix(one.Source, record.FromFile)
	out := &Fault{Message: fmt.Sprintf("param %q can't be imported from %s: %s", one.Name, from, err)}
	var wrong *step.WrongKindError
	var content *store.ContentError
	var own *Fault
	var perr *os.PathError
	switch {
	case errors.As(err, &wrong):
		out.Message = fmt.Sprintf("param %q is declared %s, but the content of %s does not have this type: %s", one.Name, one.Type, from, wrong.Why)
	case errors.As(err, &own):
		out.Environment, out.Again = own.Environment, own.Again
	case errors.As(err, &content):
		out.Message = fmt.Sprintf("param %q can't be imported: %s", one.Name, content)
		out.Environment = strings.HasSuffix(content.Why, "while it was read")
	case errors.Is(err, store.ErrNotExist), errors.Is(err, os.ErrNotExist):
		out.Message = fmt.Sprintf("param %q can't be imported: there is no %s", one.Name, from)
	case errors.As(err, &perr):
		out.Message = fmt.Sprintf("param %q can't be imported from %s: %s", one.Name, from, perr.Err)
		out.Environment = true
	default:
		out.Environment, out.Again = true, store.ClassOf(err) == store.Transient
	}
	return out
}
