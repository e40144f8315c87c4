package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

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
		"*.egg-info", "*.swp", ".#*",
	}
}

// Pack stores the directory as a code bundle, without what matches DefaultExclude or exclude. The same files always have
// the same digest. Fetch unpacks a bundle.
//
// A pattern without a slash is for names at any depth ("*.csv"); one with a slash is for paths from dir ("data/**").
func Pack(ctx context.Context, s Store, dir string, exclude []string) (record.Artifact, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return record.Artifact{}, &ContentError{dir, "is missing: there is no such directory"}
	case err != nil:
		return record.Artifact{}, unreadable(dir, err)
	case !info.IsDir():
		return record.Artifact{}, &ContentError{dir, "is not a directory"}
	}
	var patterns [][]string
	for _, p := range append(DefaultExclude(), exclude...) {
		if _, err := path.Match(p, ""); err != nil {
			return record.Artifact{}, &ContentError{dir, fmt.Sprintf("can't be packed: %q is not a pattern", p)}
		}
		anchored := strings.Contains(strings.TrimSuffix(p, "/"), "/")
		segments := strings.Split(strings.Trim(strings.TrimPrefix(p, "./"), "/"), "/")
		if !anchored {
			segments = append([]string{"**"}, segments...)
		}
		patterns = append(patterns, segments)
	}
	w := walker{
		root: dir, maxFiles: MaxCodeFiles, maxBytes: MaxCodeBytes,
		hint: "; use `exclude` to leave out files that are not code",
		skip: func(name string, _ bool) bool {
			segments := strings.Split(name, "/")
			for _, p := range patterns {
				if matches(p, segments) {
					return true
				}
			}
			return false
		},
	}
	return w.save(ctx, s, false)
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
