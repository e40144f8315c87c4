package library

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/schema/language"
)

// directory is what one holds; it is read once.
type directory struct {
	dir    string // as files in it are shown
	root   string // relative to the project's, with slashes
	real   string
	blocks []*decode.Block
	diags  diag.List
}

// directory reads what the block's `source` names; nil: it can't be read, and that is told.
func (r *reader) directory(w *evaluate.Project, b *decode.Block) *directory {
	text, ok := w.String(b, "source")
	if !ok {
		return nil
	}
	at := b.Attr("source").Range()
	switch {
	case strings.TrimSpace(text) == "":
		w.Diags.Add(diag.New("invalid-value", at, "`source` names a directory, and is empty"))
		return nil
	case filepath.IsAbs(text) || strings.HasPrefix(text, "/"):
		w.Diags.Add(diag.New("file-access", at, "%q is not relative to the directory of its file", text).
			WithDetail("The same source compiles to the same program on every machine."))
		return nil
	case strings.Contains(text, "://") || strings.HasPrefix(text, "git@"):
		w.Diags.Add(diag.New("file-access", at, "%q is not a directory: libraries are not fetched", text).
			WithSuggestion("bring it beside the project first, as a submodule or a copy"))
		return nil
	}
	dir := filepath.Join(w.Dir, filepath.FromSlash(text))
	if err := isDirectory(dir); err != nil {
		w.Diags.Add(diag.New("file-access", at, "%s", fault(text, err)).
			WithDetail("A library's directory is relative to that of the file that names it: %s.", dir))
		return nil
	}
	real := r.real(dir)
	if d := r.dirs[real]; d != nil {
		return d.orNone()
	}
	d := &directory{dir: dir, real: real, root: r.relative(dir)}
	r.dirs[real] = d
	if r.o.Reading != nil {
		r.o.Reading(dir)
	}
	source, err := load.Dir(dir, language.Root(), r.unsaved(dir), &d.diags)
	if err != nil {
		w.Diags.Add(diag.New("file-access", at, "%s", fault(text, err)))
		return d.orNone()
	}
	if len(source.Files) == 0 && len(source.Sources) == 0 && !hasPlaces(&d.diags) {
		w.Diags.Add(diag.New("file-access", at, "%q is not a library: no %s or %s file is in it", text, "*"+load.Suffix, "*"+load.SuffixYAML))
		return d.orNone()
	}
	for name, src := range source.Sources {
		r.o.Sources[name] = src
	}
	if d.diags.HasErrors() { // what it declares is not all known
		w.Diags.AddList(&d.diags)
		return d.orNone()
	}
	blocks := decode.Project(source, &d.diags)
	decode.Bare(source, blocks, &d.diags)
	d.blocks = slices.DeleteFunc(blocks, func(b *decode.Block) bool { return b.Def.Name == "pipec" }) // it is about the project there
	if d.blocks == nil {
		d.blocks = []*decode.Block{}
	}
	return d.orNone()
}

// orNone is nil for a directory that was read and can't be used.
func (d *directory) orNone() *directory {
	if d.blocks == nil {
		return nil
	}
	return d
}

// hasPlaces says whether something is told of a file, and not of the directory alone.
func hasPlaces(diags *diag.List) bool {
	for _, d := range diags.Sorted() {
		if d.Range.Filename != "" {
			return true
		}
	}
	return false
}

func isDirectory(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	return err
}

func fault(text string, err error) string {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no directory " + text
	case errors.Is(err, syscall.ENOTDIR):
		return text + " is a file, and a library is a directory"
	case errors.As(err, &pathErr):
		err = pathErr.Err
	}
	return "the directory " + text + " can't be read: " + err.Error()
}

// real is what tells one directory from another, whatever links lead there.
func (r *reader) real(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// relative is a library's directory, relative to the project's.
func (r *reader) relative(dir string) string {
	rel, err := filepath.Rel(r.top, dir)
	if err != nil {
		rel = dir
	}
	return filepath.ToSlash(rel)
}

// unsaved are the texts of an editor that stand for files of a directory, by their names there.
func (r *reader) unsaved(dir string) map[string][]byte {
	var out map[string][]byte
	for path, src := range r.o.Unsaved {
		if path = filepath.Join(r.top, filepath.FromSlash(path)); filepath.Dir(path) == dir {
			if out == nil {
				out = map[string][]byte{}
			}
			out[filepath.Base(path)] = src
		}
	}
	return out
}
