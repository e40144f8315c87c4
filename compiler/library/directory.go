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
)

// directory is a directory of a library and its content. It is read once.
type directory struct {
	dir    string // as its files are named in diagnostics
	root   string // relative to the project's directory, with slashes
	real   string
	blocks []*decode.Block
	diags  diag.List

	evaluated bool // blocks belong to a library
}

// directory reads the directory in the block's `source`. It reports a directory that can't be read, and returns nil.
func (r *reader) directory(w *evaluate.Project, b *decode.Block) *directory {
	text, ok := w.Attributes.String(b, "source")
	if !ok {
		return nil
	}
	at := b.Attr("source").Range()
	switch {
	case strings.TrimSpace(text) == "":
		w.Diags.Add(diag.New("invalid-value", at, "`source` is empty: expected the path of a directory"))
		return nil
	case filepath.IsAbs(text) || strings.HasPrefix(text, "/"):
		w.Diags.Add(diag.New("file-access", at, "%q is an absolute path: expected a path relative to the directory of this file", text).
			WithDetail("With a relative path, the same source compiles to the same program on every machine."))
		return nil
	case strings.Contains(text, "://") || strings.HasPrefix(text, "git@"):
		w.Diags.Add(diag.New("file-access", at, "%q is not a directory: libraries are not fetched", text).
			WithSuggestion("add the library next to the project first, as a submodule or a copy"))
		return nil
	}
	found, err := evaluate.Lookup(w.Dir, filepath.ToSlash(text))
	if err != nil {
		w.Diags.Add(diag.New("file-access", at, "%v", err))
		return nil
	}
	dir := filepath.Join(w.Dir, filepath.FromSlash(found))
	if err := isDirectory(dir); err != nil {
		w.Diags.Add(diag.New("file-access", at, "%s", fault(text, err)).
			WithDetail("A library's directory is relative to the directory of the file that names it: %s.", dir))
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
	source, err := load.Dir(dir, r.o.Root, r.unsaved(dir), &d.diags)
	if err != nil {
		w.Diags.Add(diag.New("file-access", at, "%s", fault(text, err)))
		return d.orNone()
	}
	if len(source.Files) == 0 && len(source.Sources) == 0 && !hasPlaces(&d.diags) {
		w.Diags.Add(diag.New("file-access", at, "%q is not a library: it has no %s or %s file", text, "*"+load.Suffix, "*"+load.SuffixYAML))
		return d.orNone()
	}
	for name, src := range source.Sources {
		r.o.Sources[name] = src
	}
	if d.diags.HasErrors() { // with errors, the declarations of the library are incomplete
		w.Diags.AddList(&d.diags)
		return d.orNone()
	}
	blocks := decode.Project(source, &d.diags)
	decode.Bare(source, blocks, &d.diags)
	d.blocks = slices.DeleteFunc(blocks, func(b *decode.Block) bool { return b.Def.Name == "pipec" }) // the `project` block is about the library as a project of its own
	if d.blocks == nil {
		d.blocks = []*decode.Block{}
	}
	return d.orNone()
}

// orNone returns nil for a directory that was read and can't be used.
func (d *directory) orNone() *directory {
	if d.blocks == nil {
		return nil
	}
	return d
}

// hasPlaces reports whether a diagnostic is about a file, and not only about the directory.
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

// real returns the identity of a directory, regardless of the symbolic links that lead to it.
func (r *reader) real(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// relative returns the directory of a library relative to that of the project.
func (r *reader) relative(dir string) string {
	rel, err := filepath.Rel(r.top, dir)
	if err != nil {
		rel = dir
	}
	return filepath.ToSlash(rel)
}

// unsaved returns the texts of an editor that replace files of a directory, by file name.
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
