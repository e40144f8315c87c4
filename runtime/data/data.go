// Package data describes artifacts by their type: the statistics of the columns of a dataframe, the shape of an array, the size of an
// image. Descriptions that need the whole content are kept in the store, so that they are computed once for each artifact.
//
// It doesn't find artifacts, which is package runs, and doesn't compare them, which is package drift.
package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/runtime/data/stats"
	"pipec.dev/pipec/runtime/data/tables"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Description describes a value or an artifact. Of the fields after Value, at most one is set, and Array has Table beside it.
type Description struct {
	Name      string          `json:"name,omitempty"`
	Type      string          `json:"type"`
	Format    string          `json:"format,omitempty"`
	Size      int64           `json:"size,omitempty"` // in bytes
	Digest    string          `json:"digest,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
	Table     *stats.Table    `json:"table,omitempty"`
	Array     *tables.Array   `json:"array,omitempty"`
	Text      *Text           `json:"text,omitempty"`
	JSON      *JSON           `json:"json,omitempty"`
	Image     *Image          `json:"image,omitempty"`
	Directory *Directory      `json:"directory,omitempty"`
	Elems     []Description   `json:"elems,omitempty"` // of a list or a map
	// Problem states why the content could not be described. It is not an error: the artifact is what it is.
	Problem string `json:"problem,omitempty"`
}

// Brief returns the description with a brief table.
func (d *Description) Brief() *Description {
	b := *d
	if d.Table != nil {
		b.Table = d.Table.Brief()
	}
	b.Elems = nil
	for i := range d.Elems {
		b.Elems = append(b.Elems, *d.Elems[i].Brief())
	}
	return &b
}

// Describe describes an output of a run of a namespace.
func Describe(ctx context.Context, s store.Store, namespace string, d *record.Datum) (*Description, error) {
	out := &Description{Name: d.Name, Type: d.Type, Value: d.Value}
	for i := range d.Elems {
		elem, err := Describe(ctx, s, namespace, &d.Elems[i])
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, *elem)
	}
	a := d.Artifact
	if a == nil {
		return out, nil
	}
	out.Format, out.Size, out.Digest = a.FormatName(), a.Size, a.Digest
	if a.Directory {
		return out, out.directory(ctx, s, a)
	}
	describe, keep := describer(d.Type)
	if describe == nil {
		return out, nil
	}
	if keep {
		if old := load(ctx, s, namespace, d); old != nil {
			old.Name = d.Name
			return old, nil
		}
	}
	err := describe(ctx, s, a, out)
	if why := problem(err); why != "" {
		out.Problem = why
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	if keep {
		save(ctx, s, namespace, d, out)
	}
	return out, nil
}

// problem returns the text of an error that the content causes, or "".
func problem(err error) string {
	var table *tables.Error
	var content *contentError
	switch {
	case errors.As(err, &table):
		return table.Error()
	case errors.As(err, &content):
		return content.why
	}
	return ""
}

// contentError reports that content is not what its type says.
type contentError struct{ why string }

func (e *contentError) Error() string { return e.why }

// describer returns the function that describes artifacts of a type, and whether what it finds is worth keeping; nil if only the
// size is known of such artifacts.
func describer(typ string) (describe func(context.Context, store.Store, *record.Artifact, *Description) error, keep bool) {
	switch typ {
	case "dataframe", "ndarray":
		return describeTable, true
	case "text", "html":
		return describeText, true
	case "json":
		return describeJSON, true
	case "image":
		return describeImage, false
	}
	return nil, false
}

// describeTable fetches the artifact to a file, because the readers need to seek.
func describeTable(ctx context.Context, s store.Store, a *record.Artifact, out *Description) error {
	dir, err := os.MkdirTemp("", "pipec-data-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "content")
	if err := store.Fetch(ctx, s, *a, path); err != nil {
		return err
	}
	_, description, _ := strings.Cut(a.Format, ";")
	set, err := tables.Read(ctx, path, description)
	if err != nil {
		return err
	}
	out.Table, out.Array, out.Format = set.Table, set.Array, set.Format
	return nil
}

// File describes a local csv, parquet or npy file.
func File(ctx context.Context, path string) (*Description, error) {
	set, err := tables.Read(ctx, path, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	typ := "dataframe"
	if set.Array != nil {
		typ = "ndarray"
	}
	return &Description{Name: path, Type: typ, Format: set.Format, Table: set.Table, Array: set.Array}, nil
}
