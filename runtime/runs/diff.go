package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// Difference is a param or an output in which two runs differ.
type Difference struct {
	Path  string        `json:"path"`            // param.NAME, or the path of the output
	Old   *record.Datum `json:"old,omitempty"`   // nil: the old run has none
	New   *record.Datum `json:"new,omitempty"`   // nil: the new run has none
	Delta *float64      `json:"delta,omitempty"` // New minus Old if both are numbers
}

// Diff returns the params and outputs in which two runs differ: the params by name, the outputs in the order of the new run,
// and then what only the old run has. same is the number of equal ones. Values are compared as JSON, artifacts by digest.
func (r *Reader) Diff(ctx context.Context, before, after *record.Run) (diff []Difference, same int, err error) {
	was, err := r.Artifacts(ctx, before)
	if err != nil {
		return nil, 0, err
	}
	is, err := r.Artifacts(ctx, after)
	if err != nil {
		return nil, 0, err
	}
	diff, same = Compare(append(params(before), was...), append(params(after), is...))
	return diff, same, nil
}

// Compare is like Diff, for outputs that the caller has read.
func Compare(was, is []Item) (diff []Difference, same int) {
	old := make(map[string]*record.Datum, len(was))
	for i := range was {
		old[was[i].Path()] = &was[i].Datum
	}
	for i := range is {
		path := is[i].Path()
		before := old[path]
		delete(old, path)
		if before != nil && equal(before, &is[i].Datum) {
			same++
			continue
		}
		diff = append(diff, Difference{Path: path, Old: before, New: &is[i].Datum, Delta: delta(before, &is[i].Datum)})
	}
	for i := range was {
		if d := old[was[i].Path()]; d != nil {
			diff = append(diff, Difference{Path: was[i].Path(), Old: d})
		}
	}
	return diff, same
}

// params returns the params of a run as items whose paths begin with "param.".
func params(run *record.Run) []Item {
	var out []Item
	for name, value := range run.Params {
		out = append(out, Item{Datum: record.Datum{Name: "param." + name, Value: value}})
	}
	for i := range run.Imports {
		d := run.Imports[i].Datum
		d.Name = "param." + d.Name
		out = append(out, Item{Datum: d})
	}
	slices.SortFunc(out, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// delta returns how much a number has grown, or nil if one of the two is not a number.
func delta(a, b *record.Datum) *float64 {
	var x, y *float64
	if a == nil || json.Unmarshal(a.Value, &x) != nil || json.Unmarshal(b.Value, &y) != nil || x == nil || y == nil {
		return nil
	}
	d := *y - *x
	return &d
}

func equal(a, b *record.Datum) bool {
	switch {
	case a.Type != b.Type || (a.Artifact == nil) != (b.Artifact == nil) || (a.Value == nil) != (b.Value == nil):
		return false
	case a.Artifact != nil:
		return a.Artifact.Digest == b.Artifact.Digest && a.Artifact.Directory == b.Artifact.Directory
	case a.Value != nil:
		return bytes.Equal(compact(a.Value), compact(b.Value))
	}
	return slices.EqualFunc(a.Elems, b.Elems, func(x, y record.Datum) bool { return x.Name == y.Name && equal(&x, &y) })
}

// compact returns the JSON without white space. Numbers keep their text, and object keys are already sorted.
func compact(data json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data
	}
	return b.Bytes()
}
