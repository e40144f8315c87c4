package runs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Item is an output of a step, or of the pipeline where Step is "".
type Item struct {
	Step   string `json:"step,omitempty"`
	Cached bool   `json:"cached,omitempty"`
	Kept   bool   `json:"kept,omitempty"`
	record.Datum
}

// Path returns the name that users write: STEP/OUTPUT, or OUTPUT for one of the pipeline.
func (i *Item) Path() string {
	if i.Step == "" {
		return i.Name
	}
	return i.Step + "/" + i.Name
}

// Artifacts are the outputs of a run, including values: first the pipeline's, then those of its steps in the order of
// the program.
func (r *Reader) Artifacts(ctx context.Context, run *record.Run) ([]Item, error) {
	detail, err := r.Show(ctx, run)
	if err != nil {
		return nil, err
	}
	return detail.Items(), nil
}

// Items returns the outputs of the run.
func (d *Detail) Items() []Item {
	var out []Item
	if d.End != nil {
		for _, o := range d.End.Outputs {
			out = append(out, Item{Datum: o})
		}
	}
	for i := range d.Steps {
		s := &d.Steps[i]
		for _, o := range s.Outputs {
			out = append(out, Item{Step: s.Name, Cached: s.Cached, Kept: s.Kept, Datum: o})
		}
	}
	return out
}

// NoItemError reports that a run has no such output.
type NoItemError struct {
	Path string
	Have []string
}

func (e *NoItemError) Error() string { return fmt.Sprintf("the run has no output %q", e.Path) }

// Find returns the item named STEP/OUTPUT, or STEP.OUTPUT as in an expression. OUTPUT alone is an output of the pipeline, or of
// a step if only one step has it.
func Find(items []Item, path string) (*Item, error) {
	var byName []*Item
	fault := &NoItemError{Path: path}
	for i := range items {
		it := &items[i]
		if it.Path() == path || it.Step != "" && it.Step+"."+it.Name == strings.TrimPrefix(path, "step.") {
			return it, nil
		}
		if it.Name == path {
			byName = append(byName, it)
		}
		fault.Have = append(fault.Have, it.Path())
	}
	if len(byName) == 1 {
		return byName[0], nil
	}
	slices.Sort(fault.Have)
	return nil, fault
}

// Get writes an item to path: the file or directory of an artifact, or the JSON of a value. A list or a map of artifacts
// becomes a directory, as steps see it. What is at path already is an error, or is replaced. After an error, path is as it was
// before.
func (r *Reader) Get(ctx context.Context, item *Item, path string, replace bool) error {
	_, err := os.Lstat(path)
	exists := err == nil
	if exists && !replace {
		return &os.PathError{Op: "get", Path: path, Err: os.ErrExist}
	}
	part, err := os.MkdirTemp(filepath.Dir(path), ".pipec-get-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	whole := filepath.Join(part, "content")
	if err := r.write(ctx, &item.Datum, whole); err != nil {
		return err
	}
	if !exists {
		return os.Rename(whole, path)
	}
	old := filepath.Join(part, "old")
	if err := os.Rename(path, old); err != nil {
		return err
	}
	if err := os.Rename(whole, path); err != nil {
		return errors.Join(err, os.Rename(old, path))
	}
	return nil
}

func (r *Reader) write(ctx context.Context, d *record.Datum, path string) error {
	switch {
	case d.Value != nil:
		return os.WriteFile(path, append(slices.Clone([]byte(d.Value)), '\n'), 0o666)
	case d.Artifact != nil:
		return store.Fetch(ctx, r.store, *d.Artifact, path)
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		return err
	}
	index := map[string]string{}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(r.window())
	for i := range d.Elems {
		e := &d.Elems[i]
		name := store.ListEntry(i)
		if e.Name != "" {
			name = store.MapEntry(e.Name)
			index[e.Name] = name
		}
		g.Go(func() error { return r.write(inner, e, filepath.Join(path, name)) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if len(index) == 0 {
		return nil
	}
	data, err := store.EncodeJSON(index)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, store.IndexFile), data, 0o666)
}

// Print writes an item's content: a value as JSON, or a file. It rejects directories.
func (r *Reader) Print(ctx context.Context, item *Item, w io.Writer) error {
	switch {
	case item.Value != nil:
		_, err := fmt.Fprintf(w, "%s\n", item.Value)
		return err
	case item.Artifact == nil || item.Artifact.Directory:
		return fmt.Errorf("%s is a directory: it can be written to a path, but not printed", item.Path())
	}
	content, err := store.OpenBlob(ctx, r.store, item.Artifact.Digest)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(w, content)
	return err
}
