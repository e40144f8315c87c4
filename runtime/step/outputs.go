package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// found is an output that exists and has its type: a value, an artifact to be stored, or elements.
type found struct {
	name   string // of an element of a map: its key
	typ    string
	value  json.RawMessage
	path   string // of an artifact
	format string
	stays  bool // the store must copy the file, not move it
	elems  []*found
	many   bool // a list or a map, which may be empty
}

// inspect checks whether an output has its declared type. It returns nil without a failure if an optional output is
// missing.
func (a *attempt) inspect(ctx context.Context, out *program.Output) (*found, *failure) {
	t, err := types.ParseString(out.Type)
	if err != nil {
		return nil, infrastructureFailure(record.ReasonStart, "output %q: %s", out.Name, err)
	}
	if out.Glob != "" {
		return a.match(ctx, out, t)
	}
	if out.File != "" {
		return a.fileValue(out, t)
	}
	path := a.spec.OutputPath(out.Name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && out.Optional:
		if _, err := os.Lstat(path); err == nil { // the step wrote a broken link
			return nil, userFailure(record.ReasonOutputInvalid, "output %q is declared %s, but is a symbolic link to a file that doesn't exist", out.Name, out.Type)
		}
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, userFailure(record.ReasonOutputMissing, "output %q is declared %s, but the step didn't write it: there is no file at outputs/%s "+
			"(PIPEC_OUTPUT_%s)", out.Name, out.Type, out.Name, envName(out.Name))
	case err != nil:
		return nil, userFailure(record.ReasonOutputInvalid, "output %q can't be read: %s", out.Name, plain(err))
	}
	if !types.HasArtifact(t) {
		value, why := readValue(path, info, t, a.masks)
		if why != "" {
			return nil, userFailure(record.ReasonOutputInvalid, "output %q is declared %s: %s", out.Name, out.Type, why)
		}
		return &found{typ: out.Type, value: value}, nil
	}
	one, why := checkArtifact(path, t)
	if why != "" {
		return nil, userFailure(record.ReasonOutputInvalid, "output %q is declared %s: %s", out.Name, out.Type, why)
	}
	return one, nil
}

// readValue reads the value in a file. why explains what is wrong with it, without the secrets.
func readValue(path string, info fs.FileInfo, t cty.Type, masks *mask.Set) (value json.RawMessage, why string) {
	if !info.Mode().IsRegular() {
		return nil, "expected a file with JSON, found a " + describeMode(info.Mode())
	}
	if info.Size() > types.MaxValue+1 {
		return nil, fmt.Sprintf("the file has %d bytes, but a value can have at most %d; use an artifact type for larger data, such as `json` or `file`", info.Size(), types.MaxValue)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, "it can't be read: " + plain(err)
	}
	if value, why = parseValue(data, t); why != "" && t != cty.String {
		why = notJSON(data, why, masks)
	}
	return value, why
}

// parseValue parses the content of a file as a value. Its text is kept byte for byte.
func parseValue(data []byte, t cty.Type) (value json.RawMessage, why string) {
	if t == cty.String && !isJSONString(data) {
		text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		if why := textFault(text); why != "" {
			return nil, why
		}
		var err error
		if data, err = types.ToJSON(types.StringVal(text)); err != nil {
			return nil, err.Error()
		}
	}
	value, err := types.Canonical(data, t)
	if err != nil {
		return nil, err.Error()
	}
	return value, ""
}

func isJSONString(data []byte) bool {
	text := strings.TrimSpace(string(data))
	return strings.HasPrefix(text, `"`) && json.Valid([]byte(text))
}

func describeMode(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m.IsRegular():
		return "file"
	}
	return "special file"
}

// checkArtifact checks the file or directory of an artifact. Lists and maps are directories of elements.
func checkArtifact(path string, t cty.Type) (one *found, why string) {
	one = &found{typ: types.String(t), path: path}
	if a, ok := types.AsArtifact(t); ok {
		one.format, why = checkKind(path, a)
		return one, why
	}
	one.many = true
	switch {
	case t.IsListType():
		one.elems, why = checkList(path, t.ElementType())
	case t.IsMapType():
		one.elems, why = checkMap(path, t.ElementType())
	default:
		why = "an output can be an artifact, or a list or a map of artifacts"
	}
	return one, why
}

func checkList(path string, elem cty.Type) (elems []*found, why string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, "a list of artifacts is a directory with " + store.ListEntry(0) + " and so on: " + plain(err)
	}
	for i, e := range entries {
		if e.Name() != store.ListEntry(i) {
			return nil, fmt.Sprintf("its directory contains %q, but the elements of a list are %s and so on, without a gap", e.Name(), store.ListEntry(0))
		}
		one, why := checkArtifact(filepath.Join(path, e.Name()), elem)
		if why != "" {
			return nil, fmt.Sprintf("element %d: %s", i, why)
		}
		elems = append(elems, one)
	}
	return elems, ""
}

func checkMap(path string, elem cty.Type) (elems []*found, why string) {
	f, err := os.Open(filepath.Join(path, store.IndexFile))
	if err != nil {
		return nil, "a map of artifacts is a directory with " + store.IndexFile + ", which gives each key the name of its file: " + plain(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 16<<20))
	if err != nil {
		return nil, store.IndexFile + " can't be read: " + plain(err)
	}
	index, why := parseIndex(data)
	if why != "" {
		return nil, why
	}
	for _, key := range slices.Sorted(maps.Keys(index)) {
		one, why := checkArtifact(filepath.Join(path, index[key]), elem)
		if why != "" {
			return nil, fmt.Sprintf("element %q: %s", key, why)
		}
		one.name = key
		elems = append(elems, one)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, plain(err)
	}
	if len(entries) > len(index)+1 {
		return nil, fmt.Sprintf("its directory contains %d entries, but %s names %d", len(entries)-1, store.IndexFile, len(index))
	}
	return elems, ""
}

// save stores an output.
func (f *found) save(ctx context.Context, st store.Store, report *report) (record.Datum, error) {
	d := record.Datum{Name: f.name, Type: f.typ, Value: f.value}
	if f.many || f.value != nil {
		return d, f.saveElems(ctx, st, report, &d)
	}
	artifact, err := store.Save(ctx, st, f.path, !f.stays)
	if err != nil {
		return d, err
	}
	artifact.Format = f.format
	if format := report.Formats[f.path]; format != "" && len(format) <= maxFormat {
		artifact.Format = format
	}
	d.Artifact = &artifact
	return d, nil
}

// saveElems stores elements, several concurrently, because a remote store responds with a delay.
func (f *found) saveElems(ctx context.Context, st store.Store, report *report, d *record.Datum) error {
	if len(f.elems) == 0 {
		return nil
	}
	d.Elems = make([]record.Datum, len(f.elems))
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(savers)
	for i, one := range f.elems {
		g.Go(func() (err error) {
			d.Elems[i], err = one.save(inner, st, report)
			return err
		})
	}
	return g.Wait()
}

// maxFormat is the maximum size of a format with its description, in bytes. The runner's own limit is lower, so that only a
// report that the user's code has changed exceeds it.
const maxFormat = 256 << 10

// savers is how many elements of a list are stored concurrently.
const savers = 8

// parseIndex reads the index of a map: from keys to the names of entries beside it, each used once.
func parseIndex(data []byte) (index map[string]string, why string) {
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, store.IndexFile + " is not an object of strings: " + err.Error()
	}
	used := map[string]bool{store.IndexFile: true}
	for key, name := range index {
		if !plainName(name) || used[name] {
			return nil, fmt.Sprintf("%s gives the key %q the name %q, which is not a valid file name", store.IndexFile, key, name)
		}
		used[name] = true
	}
	return index, ""
}
