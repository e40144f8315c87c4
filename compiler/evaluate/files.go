package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"pipec.dev/pipec/schema/types"
)

// open opens a file below dir. It follows neither .. nor a symbolic link to the outside.
func open(dir, path string) (*os.File, error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	if !filepath.IsLocal(path) {
		return nil, fmt.Errorf("%q is outside of the project: a path is relative to the project's directory and stays below it", path)
	}
	written := path
	path, err := Lookup(dir, path)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, PathFault(path, err)
	}
	defer root.Close()
	info, err := root.Stat(path)
	if err != nil {
		return nil, PathFault(written, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", path)
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, PathFault(path, err)
	}
	return f, nil
}

// PathFault returns a short reason why a path of the project can't be used.
func PathFault(path string, err error) error {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &missingFile{path}
	case errors.As(err, &pathErr) && pathErr.Err.Error() == "path escapes from parent":
		return fmt.Errorf("%q leads outside of the project", path)
	case errors.As(err, &pathErr):
		err = pathErr.Err
	}
	return fmt.Errorf("%q can't be read: %w", path, err)
}

// missingFile reports that a path names nothing. It is fs.ErrNotExist for errors.Is.
type missingFile struct{ path string }

func (e *missingFile) Error() string {
	return fmt.Sprintf("there is no file %q in the project", e.path)
}

func (e *missingFile) Unwrap() error { return fs.ErrNotExist }

func readText(dir, path string) (string, error) {
	f, err := open(dir, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, types.MaxValue+1))
	switch {
	case err != nil:
		return "", PathFault(path, err)
	case len(data) > types.MaxValue:
		return "", fmt.Errorf("%q is larger than a value may be (%d bytes): add it to the code, or use an artifact", path, types.MaxValue)
	case !utf8.Valid(data):
		return "", fmt.Errorf("%q is not UTF-8 text", path)
	}
	return string(data), nil
}

func hashFile(dir, path string) (string, error) {
	f, err := open(dir, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", PathFault(path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
