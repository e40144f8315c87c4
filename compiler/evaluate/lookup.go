package evaluate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Lookup returns the path of a file or a directory as the file system writes it. Text of a source file is in Unicode's
// normal form C, and the names of files can be in any form: é as one character or as two. A path that exists is returned
// unchanged. Otherwise each of its parts may name the one entry that is equal to it in form C. From the first part on that
// names no entry, the path is unchanged. An error names two entries that a part can mean.
func Lookup(dir, path string) (string, error) {
	at := dir
	if filepath.IsAbs(path) {
		at = "/"
	}
	if _, err := os.Lstat(filepath.Join(at, filepath.FromSlash(path))); !errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if part == "" || part == "." || part == ".." {
			at = filepath.Join(at, part)
			continue
		}
		found, err := entry(at, part)
		switch {
		case err != nil:
			return "", err
		case found == "":
			return strings.Join(parts, "/"), nil
		}
		parts[i] = found
		at = filepath.Join(at, found)
	}
	return strings.Join(parts, "/"), nil
}

// entry returns the name of the entry of a directory that a part of a path means, or "".
func entry(dir, part string) (string, error) {
	if _, err := os.Lstat(filepath.Join(dir, part)); err == nil {
		return part, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil // the caller reports what it can't read
	}
	found, form := "", norm.NFC.String(part)
	for _, e := range entries {
		switch name := e.Name(); {
		case norm.NFC.String(name) != form:
		case found != "":
			return "", fmt.Errorf("%q can be the file %+q and the file %+q: rename one of them", part, found, name)
		default:
			found = name
		}
	}
	return found, nil
}
