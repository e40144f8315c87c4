package project

import (
	"os"
	"path/filepath"

	"pipec.dev/pipec/internal/app/fault"
)

// Target returns the project's directory that a path refers to, and the only file of it that is meant, or "".
func Target(path string) (dir, only string, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", "", fault.Usagef("there is no file or directory %s", path)
	case info.IsDir():
		return path, "", nil
	}
	dir = filepath.Dir(path)
	return dir, filepath.Join(dir, filepath.Base(path)), nil
}
