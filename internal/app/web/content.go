package web

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"

	"pipec.dev/pipec/internal/app/web/shape"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// maxText is how much of a text the page shows, in bytes.
const maxText = 512 << 10

// piece is the content that a request is about.
type piece struct {
	datum *record.Datum
	file  *record.File // in a directory; nil: the datum itself
}

// piece finds the content that a request is about. The query names it as the records do: the step and one of its outputs or
// inputs, or a param or an output of the run; then the elements of lists; then the file of a directory. All of these are
// looked up in records, so that no name becomes a part of a path.
func (a *at) piece(r *http.Request) (*piece, error) {
	q := r.URL.Query()
	d, err := a.datum(r.Context(), q.Get("step"), q.Get("side"), q.Get("name"))
	if err != nil {
		return nil, err
	}
	for _, text := range q["elem"] {
		i, err := strconv.Atoi(text)
		if d == nil || err != nil || i < 0 || i >= len(d.Elems) {
			return nil, errNone
		}
		d = &d.Elems[i]
	}
	if d == nil || d.Value == nil && d.Artifact == nil {
		return nil, errNone
	}
	file := q.Get("file")
	if file == "" {
		return &piece{datum: d}, nil
	}
	if d.Artifact == nil || !d.Artifact.Directory {
		return nil, errNone
	}
	tree, err := store.ReadTree(r.Context(), a.reader.Store(), *d.Artifact)
	if err != nil {
		return nil, err
	}
	for i := range tree.Files {
		if f := &tree.Files[i]; f.Path == file && f.Digest != "" {
			return &piece{datum: d, file: f}, nil
		}
	}
	return nil, errNone
}

// datum finds a param or an output of the run, or an input or an output of a step.
func (a *at) datum(ctx context.Context, step, side, name string) (*record.Datum, error) {
	switch {
	case step == "" && side == "in":
		return shape.Param(a.run, name), nil
	case step == "":
		end, err := a.reader.End(ctx, a.run)
		if err != nil || end == nil {
			return nil, err
		}
		return shape.Output(end.Outputs, name), nil
	case side == "in":
		x, err := a.reader.Explain(ctx, a.run, step)
		if err != nil {
			return nil, err
		}
		return shape.Input(x, name), nil
	}
	d, err := a.reader.Show(ctx, a.run)
	if err != nil {
		return nil, err
	}
	if s := d.Step(step); s != nil {
		return shape.Output(s.Outputs, name), nil
	}
	return nil, nil
}

// artifact returns the content of a piece as that of a file.
func (p *piece) artifact() record.Artifact {
	if p.file != nil {
		return record.Artifact{Digest: p.file.Digest, Size: p.file.Size, Format: extension(p.file.Path)}
	}
	return *p.datum.Artifact
}

// extension returns the extension of a file's name, without the dot.
func extension(name string) string {
	if ext := path.Ext(name); ext != "" {
		return ext[1:]
	}
	return ""
}

// name returns the name under which a piece is downloaded.
func (p *piece) name() string {
	if p.file != nil {
		return path.Base(p.file.Path)
	}
	name := p.datum.Name
	content := p.artifact()
	if format := content.FormatName(); format != "" {
		name += "." + format
	}
	return name
}

// content writes an artifact: as an image, as the start of a text, or as a file to save. A browser never draws it as a page.
func (s *Server) content(w http.ResponseWriter, r *http.Request, a *at, p *piece) error {
	h := w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
	if p.datum.Value != nil {
		h.Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(p.datum.Value)
		return nil
	}
	content := p.artifact()
	if content.Directory {
		return badRequest("%s is a directory", p.datum.Name)
	}
	limit := content.Size
	switch media := shape.MediaType(content.FormatName()); r.URL.Query().Get("as") {
	case "image":
		if media == "" {
			return badRequest("%s is not an image", p.datum.Name)
		}
		h.Set("Content-Type", media)
	case "text":
		h.Set("Content-Type", "text/plain; charset=utf-8")
		if limit = min(limit, maxText); limit < content.Size {
			h.Set("X-Pipec-Cut", fmt.Sprint(content.Size))
		}
	default:
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": p.name()}))
	}
	blob, err := store.OpenBlob(r.Context(), a.reader.Store(), content.Digest)
	if err != nil {
		return err
	}
	defer blob.Close()
	_, _ = io.Copy(w, io.LimitReader(blob, limit)) // the response has begun
	return nil
}

// Files are the files of a directory.
type Files struct {
	Files []FileEntry `json:"files"`
	Total int         `json:"total"`
}

// FileEntry is a file of a directory.
type FileEntry struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Link string `json:"link,omitempty"`
	Dir  bool   `json:"dir,omitempty"`
	View string `json:"view"`
}

// maxFiles is how many files of a directory are listed.
const maxFiles = 5000

// files writes the list of a directory's files.
func (s *Server) files(w http.ResponseWriter, r *http.Request, a *at, p *piece) error {
	if p.datum.Artifact == nil || !p.datum.Artifact.Directory {
		return errNone
	}
	tree, err := store.ReadTree(r.Context(), a.reader.Store(), *p.datum.Artifact)
	if err != nil {
		return err
	}
	out := Files{Files: []FileEntry{}, Total: len(tree.Files)}
	for i := range tree.Files[:min(len(tree.Files), maxFiles)] {
		f := &tree.Files[i]
		one := FileEntry{Path: f.Path, Size: f.Size, Link: f.Link, Dir: f.Dir, View: shape.ViewNone}
		if f.Digest != "" {
			one.View = shape.ViewOf("", &record.Artifact{Format: extension(f.Path)})
		}
		out.Files = append(out.Files, one)
	}
	return reply(w, out)
}
