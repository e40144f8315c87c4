package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"pipec.dev/pipec/runtime/store/ignore"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

// The bounds of a code bundle, which every step unpacks.
const (
	MaxCodeFiles = 20_000
	MaxCodeBytes = 1 << 30
)

// DefaultExclude returns the patterns that are never part of a code bundle: files that tools leave beside the code, and
// files that are for one machine only.
func DefaultExclude() []string {
	return []string{
		".git", ".hg", ".svn", ".pipec", ".venv", "venv", "node_modules", "__pycache__", "*.pyc", "*.pyo", ".DS_Store",
		".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".ipynb_checkpoints", ".idea", ".vscode",
		"*.egg-info", "*.swp", ".#*", ".gitignore", ".pipecignore",
	}
}

// Bundle is a directory of code.
type Bundle struct {
	Dir     string
	Project string // the directory of the project: the .gitignore and .pipecignore files in it and below count
	// Exclude are further patterns of files to leave out. A pattern without a slash is for names at any depth ("*.csv"); one
	// with a slash is for paths from Dir ("data/**"). A pattern and a path also match if they do in Unicode's normal form C.
	Exclude []string
	// Secret is called with the path of each file that is packed although it looks like a secret. May be nil.
	Secret func(path string)
}

// Pack stores a code bundle, without what matches DefaultExclude, what the bundle excludes, and what .gitignore and
// .pipecignore files name. The same files always have the same digest. Fetch unpacks a bundle.
func Pack(ctx context.Context, s Store, b Bundle) (record.Artifact, error) {
	dir := b.Dir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return record.Artifact{}, &ContentError{dir, "is missing: there is no such directory"}
	case err != nil:
		return record.Artifact{}, unreadable(dir, err)
	case !info.IsDir():
		return record.Artifact{}, &ContentError{dir, "is not a directory"}
	}
	out := excluded{}
	for _, p := range append(DefaultExclude(), b.Exclude...) {
		if _, err := path.Match(p, ""); err != nil {
			return record.Artifact{}, &ContentError{dir, fmt.Sprintf("can't be packed: %q is not a pattern", p)}
		}
		out.add(p)
	}
	ignored := ignore.New(dir, b.Project)
	w := walker{
		root: dir, maxFiles: MaxCodeFiles, maxBytes: MaxCodeBytes,
		hint: "; use `exclude` or .pipecignore to leave out files that are not code",
		skip: func(name string, isDir bool) bool { return out.has(name) || ignored.Ignored(name, isDir) },
	}
	if err := w.walk(""); err != nil {
		return record.Artifact{}, err
	}
	if err := ignored.Err(); err != nil {
		return record.Artifact{}, &ContentError{dir, "can't be packed: " + err.Error()}
	}
	if b.Secret != nil {
		for _, f := range w.files {
			if f.Link == "" && !f.Dir && secret(dir, f.Path) {
				b.Secret(f.Path)
			}
		}
	}
	return w.store(ctx, s, false)
}

// excluded is the patterns of files that are not packed, each as its parts between slashes.
type excluded struct {
	patterns [][]string
	forms    [][]string // the patterns in normal form C
}

func (e *excluded) add(pattern string) {
	anchored := strings.Contains(strings.TrimSuffix(pattern, "/"), "/")
	segments := strings.Split(strings.Trim(strings.TrimPrefix(pattern, "./"), "/"), "/")
	if !anchored {
		segments = append([]string{"**"}, segments...)
	}
	e.patterns = append(e.patterns, segments)
	forms := make([]string, len(segments))
	for i, s := range segments {
		forms[i] = paths.Form(s)
	}
	e.forms = append(e.forms, forms)
}

// has reports whether a path matches a pattern.
func (e *excluded) has(name string) bool {
	return matchesAny(e.patterns, name) || !paths.ASCII(name) && matchesAny(e.forms, paths.Form(name))
}

func matchesAny(patterns [][]string, name string) bool {
	segments := strings.Split(name, "/")
	for _, p := range patterns {
		if matches(p, segments) {
			return true
		}
	}
	return false
}

// matches reports whether the path fits the pattern, in which ** matches any number of segments, including none. It reads
// the pattern from the left and records, for each length of the path, whether it fits so far.
func matches(pattern, name []string) bool {
	fits := make([]bool, len(name)+1)
	fits[0] = true
	for _, p := range pattern {
		next := make([]bool, len(name)+1)
		for i := range fits {
			switch {
			case p == "**":
				next[i] = fits[i] || i > 0 && next[i-1]
			case i > 0 && fits[i-1]:
				next[i], _ = path.Match(p, name[i-1])
			}
		}
		fits = next
	}
	return fits[len(name)]
}
