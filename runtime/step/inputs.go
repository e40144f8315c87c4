package step

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// inputsAtOnce is how many inputs are fetched concurrently.
const inputsAtOnce = 4

// prepare creates the directories, fetches the inputs and unpacks the code.
func (s *Spec) prepare(ctx context.Context, d *Deps) *failure {
	if !d.Ready {
		for _, dir := range []string{"", inputsDir, outputsDir, scratchDir} {
			if err := makeDir(filepath.Join(s.Root, dir)); err != nil {
				return infrastructureFailure(record.ReasonStart, "can't create the step's directory: %s", err)
			}
		}
	}
	if len(s.Inputs) == 0 {
		return nil
	}
	return s.fetch(ctx, d.Store)
}

// fetch writes the inputs to the paths where the process reads them.
func (s *Spec) fetch(ctx context.Context, st store.Store) *failure {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inputsAtOnce)
	for i := range s.Inputs {
		d := &s.Inputs[i]
		t, err := types.ParseString(d.Type)
		if err != nil {
			return infrastructureFailure(record.ReasonInput, "input %q: %s", d.Name, err)
		}
		if !types.HasArtifact(t) && d.Artifact == nil {
			if f := s.writeValue(d, t); f != nil {
				return f
			}
			continue
		}
		if isNull(d) {
			continue // it has no file
		}
		g.Go(func() error {
			if err := fetch(ctx, st, d, t, s.InputPath(d.Name)); err != nil {
				return infrastructureFailure(record.ReasonInput, "input %q can't be fetched: %s", d.Name, err)
			}
			return nil
		})
	}
	var fail *failure
	if errors.As(g.Wait(), &fail) {
		return fail
	}
	return nil
}

// isNull reports whether an input is null, which its default can be.
func isNull(d *record.Datum) bool { return string(d.Value) == "null" }

// fetch writes an artifact, or the elements of a list or a map into a directory.
func fetch(ctx context.Context, st store.Store, d *record.Datum, t cty.Type, path string) error {
	if d.Artifact != nil {
		return store.Fetch(ctx, st, *d.Artifact, path)
	}
	if !t.IsListType() && !t.IsMapType() {
		return errors.New("it has neither a value nor an artifact")
	}
	if err := os.Mkdir(path, 0o777); err != nil {
		return err
	}
	index := make(map[string]string, len(d.Elems))
	for i := range d.Elems {
		one := &d.Elems[i]
		name := store.ListEntry(i)
		if t.IsMapType() {
			name = store.MapEntry(one.Name)
			index[one.Name] = name
		}
		if err := fetch(ctx, st, one, t.ElementType(), filepath.Join(path, name)); err != nil {
			return err
		}
	}
	if !t.IsMapType() {
		return nil
	}
	data, err := store.EncodeJSON(index)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, store.IndexFile), data, 0o666)
}

// eachFormat calls f with the path and the format of each artifact of d, as written by fetch.
func eachFormat(d *record.Datum, t cty.Type, path string, tell func(path, format string)) {
	if d.Artifact != nil && d.Artifact.Format != "" {
		tell(path, d.Artifact.Format)
	}
	for i := range d.Elems {
		name := store.ListEntry(i)
		if t.IsMapType() {
			name = store.MapEntry(d.Elems[i].Name)
		}
		if t.IsListType() || t.IsMapType() {
			eachFormat(&d.Elems[i], t.ElementType(), filepath.Join(path, name), tell)
		}
	}
}

// makeDir is like MkdirAll, but first tries to create only the last directory, because the others usually exist.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o777)
	if err == nil || errors.Is(err, os.ErrExist) {
		return nil
	}
	return os.MkdirAll(dir, 0o777)
}

// writeValue writes a value: a string as its text, and all others as JSON. A string that is null has no file.
func (s *Spec) writeValue(d *record.Datum, t cty.Type) *failure {
	value := d.Value
	if isNull(d) && t == cty.String {
		return nil
	}
	if !isNull(d) {
		canonical, err := types.Canonical(d.Value, t)
		if err != nil {
			return userFailure(record.ReasonInputInvalid, "input %q is not a valid %s: %s", d.Name, d.Type, err)
		}
		if text, ok := textFile(canonical, t); ok {
			value = text
		}
	}
	if err := os.WriteFile(s.InputPath(d.Name), append(value[:len(value):len(value)], '\n'), 0o666); err != nil {
		return infrastructureFailure(record.ReasonInput, "input %q can't be written: %s", d.Name, err)
	}
	return nil
}

// textFile returns the text of a string. It returns false for a string whose text would be read as another one, such as text in
// quotes, which would be read as JSON: see parseValue.
func textFile(canonical json.RawMessage, t cty.Type) ([]byte, bool) {
	if t != cty.String {
		return nil, false
	}
	v, err := types.FromJSON(canonical, t)
	if err != nil {
		return nil, false
	}
	text := []byte(types.Text(v))
	back, why := parseValue(append(text[:len(text):len(text)], '\n'), t)
	return text, why == "" && bytes.Equal(back, canonical)
}

// unpack creates the working directory of the code.
func (s *Spec) unpack(ctx context.Context, st store.Store) *failure {
	if s.Code == "" {
		return nil
	}
	code := record.Artifact{Digest: s.Code, Directory: true}
	if err := store.Fetch(ctx, st, code, s.workDir()); err != nil {
		return infrastructureFailure(record.ReasonCode, "the code can't be unpacked: %s", err)
	}
	return nil
}
