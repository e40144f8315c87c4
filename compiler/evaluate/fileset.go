package evaluate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/glob"
)

// maxFiles is how many files and directories fileset looks at.
const maxFiles = 100_000

// exists reports whether there is a regular file below dir.
func exists(dir, path string) (bool, error) {
	f, err := open(dir, path)
	switch {
	case err == nil:
		return true, f.Close()
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}

// fileSet returns the files below a directory of the project that match a pattern. It doesn't follow symbolic links to directories.
func fileSet(dir, below, pattern string) (cty.Value, error) {
	p, err := glob.Parse(pattern)
	if err != nil {
		return cty.NilVal, function.NewArgError(1, err)
	}
	if !filepath.IsLocal(below) {
		return cty.NilVal, function.NewArgErrorf(0, "%q is outside of the project: a path is relative to the project's directory and stays below it", below)
	}
	if below, err = Lookup(dir, below); err != nil {
		return cty.NilVal, function.NewArgError(0, err)
	}
	project, err := os.OpenRoot(dir)
	if err != nil {
		return cty.NilVal, PathFault(dir, err)
	}
	defer project.Close()
	root, err := project.OpenRoot(below)
	if err != nil {
		return cty.NilVal, function.NewArgError(0, directoryFault(below, err))
	}
	defer root.Close()
	var found []cty.Value
	seen := 0
	err = fs.WalkDir(root.FS(), p.Dir, func(name string, e fs.DirEntry, err error) error {
		seen++
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == p.Dir:
			return fs.SkipAll
		case err != nil:
			return PathFault(path.Join(below, name), err)
		case seen > maxFiles:
			return fmt.Errorf("there are more than %d files and directories below %q", maxFiles, below)
		}
		rel := relative(p.Dir, name)
		if e.IsDir() {
			if rel != "." && !p.Enter(rel) {
				return fs.SkipDir
			}
			return nil
		}
		if !p.MatchForm(rel) {
			return nil
		}
		if info, err := root.Stat(name); err == nil && info.Mode().IsRegular() {
			found = append(found, cty.StringVal(name))
		}
		return nil
	})
	switch {
	case err != nil:
		return cty.NilVal, err
	case len(found) == 0:
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(found), nil
}

// relative returns a path below a directory relative to it.
func relative(dir, name string) string {
	if dir == "." {
		return name
	}
	rel, err := filepath.Rel(dir, name)
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

func directoryFault(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no directory %q in the project", path)
	}
	return PathFault(path, err)
}
