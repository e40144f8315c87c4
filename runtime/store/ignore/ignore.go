// Package ignore reads .gitignore and .pipecignore files, and decides which files of a directory they leave out. The rules
// are those of git, except that the index, .git/info/exclude and the user's own configuration don't count: the result
// depends only on the files, so that it is the same on every machine.
//
// Patterns become regular expressions. The libraries for this match with path.Match, which lacks `[!a]` and classes such as
// [[:digit:]]. A test compares the package with git.
package ignore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/schema/paths"
)

// names are the files that are read in each directory. If patterns of both match a path, the last one decides.
func names() []string { return []string{".gitignore", ".pipecignore"} }

// maxSize is the largest size of a file with patterns, in bytes.
const maxSize = 1 << 20

// Tree decides about the paths of a directory. It reads the files with patterns when they are needed. It is not safe for
// concurrent use.
type Tree struct {
	root   string
	above  []level            // of the directories that contain root, outermost first
	levels map[string][]*rule // by directory, relative to root
	err    error
}

// level is a directory above the root.
type level struct {
	below string // the path of the root, relative to the directory
	rules []*rule
}

// New returns the tree of a directory. Patterns in the directories above count too: up to the root of the git repository,
// or else up to the project's directory.
func New(root, project string) *Tree {
	t := &Tree{root: root, levels: map[string][]*rule{}}
	dir, err := filepath.Abs(root)
	if err != nil {
		t.err = err
		return t
	}
	top := repository(dir)
	if top == "" {
		if top, err = filepath.Abs(project); err != nil {
			t.err = err
			return t
		}
	}
	below, err := filepath.Rel(top, dir)
	if err != nil || below == "." || below == ".." || strings.HasPrefix(below, ".."+string(filepath.Separator)) {
		return t
	}
	parts := strings.Split(filepath.ToSlash(below), "/")
	for i := range parts {
		rules := t.read(filepath.Join(top, filepath.Join(parts[:i]...)))
		if len(rules) > 0 {
			t.above = append(t.above, level{path.Join(parts[i:]...), rules})
		}
	}
	return t
}

// repository returns the root of the git repository that a directory is in, or "".
func repository(dir string) string {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// Err returns the first error that occurred when a file with patterns was read.
func (t *Tree) Err() error { return t.err }

// Ignored reports whether a path below the root, separated by slashes, is left out. If a directory is left out, the caller
// must not ask for the paths below it: they can't be taken in again.
func (t *Tree) Ignored(name string, isDir bool) bool {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		below := name
		if dir != "." {
			below = name[len(dir)+1:]
		}
		if out, ok := decide(t.at(dir), below, isDir); ok {
			return out
		}
		if dir == "." {
			break
		}
	}
	for i := len(t.above) - 1; i >= 0; i-- {
		if out, ok := decide(t.above[i].rules, t.above[i].below+"/"+name, isDir); ok {
			return out
		}
	}
	return false
}

// decide returns what the last rule that matches a path says about it.
func decide(rules []*rule, name string, isDir bool) (ignored, ok bool) {
	for i := len(rules) - 1; i >= 0; i-- {
		r := rules[i]
		if r.matches(name, isDir) || !paths.ASCII(name) && r.matches(paths.Form(name), isDir) {
			return !r.negated, true
		}
	}
	return false, false
}

// at returns the rules of a directory, relative to the root.
func (t *Tree) at(dir string) []*rule {
	rules, ok := t.levels[dir]
	if !ok {
		rules = t.read(filepath.Join(t.root, filepath.FromSlash(dir)))
		t.levels[dir] = rules
	}
	return rules
}

// read reads the rules of a directory.
func (t *Tree) read(dir string) []*rule {
	var out []*rule
	for _, name := range names() {
		data, err := content(filepath.Join(dir, name))
		if err != nil {
			if t.err == nil {
				t.err = err
			}
			continue
		}
		for line := range strings.Lines(strings.TrimPrefix(data, "\ufeff")) {
			if r := parse(line); r != nil {
				out = append(out, r)
			}
		}
	}
	return out
}

// content returns the content of a regular file; "" if there is none. As in git, a symbolic link is not followed.
func content(name string) (string, error) {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular():
		return "", nil
	case err != nil:
		return "", err
	case info.Size() > maxSize:
		return "", fmt.Errorf("%s has more than %d bytes", name, maxSize)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize))
	return string(data), err
}
