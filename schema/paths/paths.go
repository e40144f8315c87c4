// Package paths finds the entries of directories that a path names. A letter such as é can be written in two ways, as one
// character (Unicode normal form C) or as two, and file systems keep names as they were written, while text of source files
// is in form C. The package reads no file system: its callers do.
package paths

import (
	"fmt"
	"iter"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Files is the part of a file system that a path is looked up in.
type Files interface {
	// Exists reports whether there is an entry at a path, even if it is a link to a file that does not exist.
	Exists(path string) bool
	// Names returns the names of the entries of a directory. It returns none of a directory that can't be read.
	Names(dir string) iter.Seq[string]
}

// Lookup returns a path, which is relative to dir or absolute, as the file system writes it. A path that exists is returned
// unchanged. Otherwise each of its parts may name the one entry that is equal to it in form C. From the first part on that
// names no entry, the path is unchanged. An error names two entries that a part can mean.
func Lookup(files Files, dir, name string) (string, error) {
	at := dir
	if path.IsAbs(name) {
		at = "/"
	}
	if ASCII(name) || files.Exists(path.Join(at, name)) {
		return name, nil
	}
	parts := strings.Split(name, "/")
	for i, part := range parts {
		if part != "" && part != "." && part != ".." {
			found, err := entry(files, at, part)
			switch {
			case err != nil:
				return "", err
			case found == "":
				return strings.Join(parts, "/"), nil
			}
			parts[i] = found
		}
		at = path.Join(at, parts[i])
	}
	return strings.Join(parts, "/"), nil
}

// entry returns the name of the entry of a directory that a part of a path means, or "".
func entry(files Files, dir, part string) (string, error) {
	if files.Exists(path.Join(dir, part)) {
		return part, nil
	}
	if ASCII(part) {
		return "", nil
	}
	found, form := "", Form(part)
	for name := range files.Names(dir) {
		switch {
		case ASCII(name) || Form(name) != form:
		case found != "":
			return "", fmt.Errorf("%q can be the file %+q and the file %+q: rename one of them", part, min(found, name), max(found, name))
		default:
			found = name
		}
	}
	return found, nil
}

// Form returns a name in normal form C, in which addresses of steps are. It returns most names unchanged, without a copy.
func Form(name string) string { return norm.NFC.String(name) }

// ASCII reports whether a name has a single form. (Three rare characters, such as the Kelvin sign, are equal to one in ASCII.
// They count as different from it here.)
func ASCII(name string) bool {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
