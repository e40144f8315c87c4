package shape

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Datum is a value or an artifact.
type Datum struct {
	Name   string          `json:"name"`
	Type   string          `json:"type"`
	View   string          `json:"view"` // how its content is drawn: one of the constants of this package
	Value  json.RawMessage `json:"value,omitempty"`
	Cut    bool            `json:"cut,omitempty"` // Value is the start of the value, as a string
	Size   int64           `json:"size,omitempty"`
	Digest string          `json:"digest,omitempty"`
	Format string          `json:"format,omitempty"`
	Elems  []Datum         `json:"elems,omitempty"`
	Count  int             `json:"count,omitempty"` // of the elements, if Elems are only the first ones
	Source string          `json:"source,omitempty"`
}

// How a datum is drawn.
const (
	ViewValue     = "value"
	ViewText      = "text"
	ViewJSON      = "json"
	ViewImage     = "image"
	ViewHTML      = "html"
	ViewDirectory = "directory"
	ViewList      = "list"
	ViewFile      = "file" // its facts and a link
	ViewNone      = "none" // it has no content
)

const (
	maxValue = 64 << 10 // of a value that is sent as a whole
	maxElems = 200
)

// images are the formats that a browser draws, and their media types.
var images = map[string]string{
	"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "svg": "image/svg+xml",
}

// texts are the formats that are text.
var texts = []string{"txt", "text", "csv", "tsv", "md", "log", "yaml", "yml", "toml", "xml", "py"}

// MediaType returns the media type of an image in a format, or "" if the format is not one of an image.
func MediaType(format string) string { return images[strings.ToLower(format)] }

// ViewOf returns how an artifact is drawn.
func ViewOf(kind string, a *record.Artifact) string {
	format := strings.ToLower(a.FormatName())
	switch {
	case a.Directory:
		return ViewDirectory
	case kind == "html" || format == "html":
		return ViewHTML
	case images[format] != "":
		return ViewImage
	case kind == "json" || format == "json":
		return ViewJSON
	case kind == "text" || slices.Contains(texts, format):
		return ViewText
	}
	return ViewFile
}

// NewDatum returns a value or an artifact. The start of a large value, and the first elements of a long list, are in it.
func NewDatum(d *record.Datum) Datum {
	out := Datum{Name: d.Name, Type: d.Type, View: ViewNone}
	switch {
	case d.Value != nil:
		if out.View, out.Value = ViewValue, d.Value; len(d.Value) > maxValue {
			out.Value, _ = json.Marshal(record.Clip(string(d.Value), maxValue)) // a string can always be encoded
			out.Cut, out.Size = true, int64(len(d.Value))
		}
	case d.Artifact != nil:
		out.View, out.Size, out.Digest, out.Format = ViewOf(d.Type, d.Artifact), d.Artifact.Size, d.Artifact.Digest, d.Artifact.FormatName()
	case len(d.Elems) > 0:
		out.View, out.Count = ViewList, len(d.Elems)
		out.Elems = NewData(d.Elems[:min(len(d.Elems), maxElems)])
	}
	return out
}

// NewData returns values and artifacts in their order.
func NewData(list []record.Datum) []Datum {
	out := make([]Datum, len(list))
	for i := range list {
		out[i] = NewDatum(&list[i])
	}
	return out
}

// params returns what a run was started with.
func params(run *record.Run) []Datum {
	var out []Datum
	for _, name := range slices.Sorted(maps.Keys(run.Params)) {
		out = append(out, NewDatum(&record.Datum{Name: name, Value: run.Params[name]}))
	}
	for i := range run.Imports {
		d := NewDatum(&run.Imports[i].Datum)
		d.Source = strings.TrimPrefix(run.Imports[i].Source, record.FromFile)
		out = append(out, d)
	}
	return out
}

// Param returns the param of a run with a name, or nil.
func Param(run *record.Run, name string) *record.Datum {
	if value, ok := run.Params[name]; ok {
		return &record.Datum{Name: name, Value: value}
	}
	for i := range run.Imports {
		if run.Imports[i].Name == name {
			return &run.Imports[i].Datum
		}
	}
	return nil
}

// Output returns the output of a list with a name, or nil.
func Output(list []record.Datum, name string) *record.Datum {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// Input returns the input of a step with a name, or nil if it is not recorded.
func Input(x *runs.Explanation, name string) *record.Datum {
	for i := range x.Inputs {
		if x.Inputs[i].Name == name {
			return x.Inputs[i].Is
		}
	}
	return nil
}
