package data

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"image"
	_ "image/gif"  // its format
	_ "image/jpeg" // its format
	_ "image/png"  // its format
	"io"
	"slices"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Text describes a text.
type Text struct {
	Lines      int64 `json:"lines"`
	Characters int64 `json:"characters"`
}

// JSON describes a JSON document.
type JSON struct {
	Kind  string   `json:"kind"`           // object, array, string, number, boolean or null
	Len   int      `json:"length"`         // of an object or array
	Keys  []string `json:"keys,omitempty"` // the first of an object, sorted
	Depth int      `json:"depth"`          // 0: neither an object nor an array
}

// Image describes a picture.
type Image struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// Directory describes a directory.
type Directory struct {
	Files   int           `json:"files"`
	Largest []record.File `json:"largest"`
}

const (
	maxJSON   = 64 << 20 // bytes; larger documents are not read
	maxListed = 10
)

func describeText(ctx context.Context, s store.Store, a *record.Artifact, out *Description) error {
	r, err := store.OpenBlob(ctx, s, a.Digest)
	if err != nil {
		return err
	}
	defer r.Close()
	t, b, last := &Text{}, bufio.NewReaderSize(r, 1<<20), '\n'
	for {
		c, _, err := b.ReadRune()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		t.Characters++
		if c == '\n' {
			t.Lines++
		}
		last = c
	}
	if last != '\n' {
		t.Lines++
	}
	out.Text = t
	return nil
}

func describeJSON(ctx context.Context, s store.Store, a *record.Artifact, out *Description) error {
	if a.Size > maxJSON {
		return &contentError{"the document is too large to be described"}
	}
	data, err := store.ReadBlob(ctx, s, a.Digest, maxJSON)
	if err != nil {
		return err
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return &contentError{"it is not valid JSON: " + err.Error()}
	}
	j := &JSON{Depth: depth(v)}
	switch v := v.(type) {
	case map[string]any:
		j.Kind, j.Len = "object", len(v)
		for k := range v {
			j.Keys = append(j.Keys, k)
		}
		slices.Sort(j.Keys)
		j.Keys = j.Keys[:min(len(j.Keys), maxListed)]
	case []any:
		j.Kind, j.Len = "array", len(v)
	case string:
		j.Kind, j.Len = "string", utf8.RuneCountInString(v)
	case float64:
		j.Kind = "number"
	case bool:
		j.Kind = "boolean"
	default:
		j.Kind = "null"
	}
	out.JSON = j
	return nil
}

// depth returns how deeply values are nested. The parser rejects more than 10,000 levels.
func depth(v any) int {
	most := 0
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			most = max(most, depth(e))
		}
	case []any:
		for _, e := range v {
			most = max(most, depth(e))
		}
	default:
		return 0
	}
	return most + 1
}

func describeImage(ctx context.Context, s store.Store, a *record.Artifact, out *Description) error {
	r, err := store.OpenBlob(ctx, s, a.Digest)
	if err != nil {
		return err
	}
	defer r.Close()
	c, format, err := image.DecodeConfig(r)
	if errors.Is(err, image.ErrFormat) {
		return &contentError{"the format of the picture is not png, jpeg or gif"}
	}
	if err != nil {
		return &contentError{"the picture can't be read: " + err.Error()}
	}
	out.Image, out.Format = &Image{c.Width, c.Height}, format
	return nil
}

func (d *Description) directory(ctx context.Context, s store.Store, a *record.Artifact) error {
	tree, err := store.ReadTree(ctx, s, *a)
	if err != nil {
		return err
	}
	files := slices.DeleteFunc(tree.Files, func(f record.File) bool { return f.Dir })
	d.Directory = &Directory{Files: len(files)}
	slices.SortStableFunc(files, func(x, y record.File) int { return int(max(-1, min(1, y.Size-x.Size))) })
	d.Directory.Largest = files[:min(len(files), maxListed)]
	return nil
}
