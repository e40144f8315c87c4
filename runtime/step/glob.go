package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/glob"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

const (
	maxMatches = program.MaxInstances // files of one output: as many as a step can have instances
	maxLooked  = 1 << 20              // directory entries that are read for one output
	maxNamed   = 5                    // files that a message names
)

// matching searches the files of an output with a glob.
type matching struct {
	p     *glob.Pattern
	elem  types.Artifact
	dir   string // the pattern's directory, without symbolic links
	since time.Time

	files  []string // the matching files, relative to dir
	alike  []string // those of files that match only in the same Unicode form
	passed []string // matches that can't be stored, with the reason
	others []string // matches of another kind: files if directories are expected, and the other way round
	looked int
	older  int // number of files that existed before the step started
}

// match finds the files that match an output's glob. It returns nil without a failure if an optional output is missing.
func (a *attempt) match(ctx context.Context, out *program.Output, t cty.Type) (*found, *failure) {
	invalid := func(format string, args ...any) *failure {
		return userFailure(record.ReasonOutputInvalid, "output %q is declared %s: %s", out.Name, out.Type, fmt.Sprintf(format, args...))
	}
	p, err := glob.Parse(out.Glob)
	if err != nil {
		return nil, infrastructureFailure(record.ReasonStart, "output %q: the glob %q: %s", out.Name, out.Glob, err)
	}
	many := t.IsListType() || t.IsMapType()
	elem := t
	if many {
		elem = t.ElementType()
	}
	m := matching{p: p, since: a.result.StartedAt}
	var ok bool
	if m.elem, ok = types.AsArtifact(elem); !ok {
		return nil, invalid("an output of a value type can't have a glob")
	}
	why := m.find(ctx, a.dir)
	switch {
	case ctx.Err() != nil:
		return nil, infrastructureFailure(record.ReasonCancelled, "the search for the files of output %q was cancelled", out.Name)
	case why != "":
		return nil, invalid("%s", why)
	}
	if why = m.prefer(); why != "" {
		return nil, invalid("%s", why)
	}
	slices.Sort(m.files)
	a.noteMatches(out, &m)
	switch n := len(m.files); {
	case n == 0 && out.Optional:
		return nil, nil
	case n == 0 && !many:
		return nil, userFailure(record.ReasonOutputMissing, "output %q is declared %s, but no %s matches its glob %q%s%s", out.Name, out.Type, m.expected(),
			p.Text, m.where(), m.instead())
	case n > 1 && !many:
		return nil, invalid("its glob %q matches %d of them: %s", p.Text, n, m.list(m.files))
	}
	var all *found
	if all, why = m.check(t); why != "" {
		return nil, invalid("%s", why)
	}
	if !many {
		return all.elems[0], nil
	}
	return all, nil
}

// check checks the files, and combines them to a list or a map whose keys are the paths.
func (m *matching) check(t cty.Type) (*found, string) {
	all := &found{typ: types.String(t), many: true}
	for _, rel := range m.files {
		one := &found{typ: m.elem.String(), path: filepath.Join(m.dir, rel), stays: true}
		if t.IsMapType() {
			if !utf8.ValidString(rel) {
				return nil, fmt.Sprintf("the name of %s is not UTF-8, so it can't be a key", m.name(rel))
			}
			one.name = rel
		}
		var why string
		if one.format, why = checkKind(one.path, m.elem); why != "" {
			return nil, fmt.Sprintf("of %s: %s", m.name(rel), why)
		}
		all.elems = append(all.elems, one)
	}
	return all, ""
}

// find searches dir, the step's working directory, for matches.
func (m *matching) find(ctx context.Context, dir string) (why string) {
	top := ""
	if filepath.IsAbs(m.p.Dir) {
		dir = m.p.Dir
	} else {
		var err error
		if top, err = filepath.EvalSymlinks(dir); err != nil {
			return m.unread(err)
		}
		dir = filepath.Join(top, m.p.Dir)
	}
	var err error
	if m.dir, err = filepath.EvalSymlinks(dir); errors.Is(err, fs.ErrNotExist) && !paths.ASCII(m.p.Dir) {
		disk := paths.Disk{Lstat: os.Lstat, Open: func(dir string) (paths.Directory, error) { return os.Open(dir) }}
		if dir, err = paths.Lookup(disk, top, m.p.Dir); err != nil {
			return "the directory " + err.Error()
		}
		m.dir, err = filepath.EvalSymlinks(filepath.Join(top, dir))
	}
	if err != nil {
		return m.unread(err)
	}
	if top != "" && !within(top, m.dir) {
		return fmt.Sprintf("%q of its glob leaves the step's working directory through a symbolic link, which is not followed", m.p.Dir)
	}
	for todo := []string{""}; len(todo) > 0 && ctx.Err() == nil; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if todo, why = m.look(ctx, at, todo); why != "" {
			return why
		}
	}
	return ""
}

// unread explains that a directory can't be read. A directory that does not exist contains no matches.
func (m *matching) unread(err error) string {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return ""
	}
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return fmt.Sprintf("%q can't be read: %s", perr.Path, perr.Err)
	}
	return err.Error()
}

// look reads one directory, large ones in pieces. It adds subdirectories that may contain matches to todo.
func (m *matching) look(ctx context.Context, at string, todo []string) (_ []string, why string) {
	f, err := os.OpenFile(filepath.Join(m.dir, at), os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return todo, m.unread(err)
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(512)
		for _, e := range entries {
			if ctx.Err() != nil {
				return nil, ""
			}
			rel := path.Join(at, e.Name())
			if e.IsDir() && m.p.Enter(rel) {
				todo = append(todo, rel)
			}
			if why := m.match(rel, e); why != "" {
				return nil, why
			}
		}
		m.looked += len(entries)
		switch {
		case m.looked > maxLooked:
			return nil, fmt.Sprintf("its glob %[2]q searches more than %[1]d files and directories: start it with a more specific directory", maxLooked, m.p.Text)
		case len(m.files) > maxMatches:
			return nil, fmt.Sprintf("its glob %q matches more than %d files: use an output of type directory for all of them", m.p.Text, maxMatches)
		case err == io.EOF:
			return todo, ""
		case err != nil:
			return todo, m.unread(err)
		}
	}
}

// coarse is the resolution of a file system's clock.
const coarse = 2 * time.Second

// within reports whether a path without symbolic links is a directory or below it.
func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
