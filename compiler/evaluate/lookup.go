package evaluate

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"pipec.dev/pipec/schema/paths"
)

// Lookup returns the path of a file or a directory as the file system writes it: see paths.Lookup.
func Lookup(dir, path string) (string, error) {
	return paths.Lookup(disk{}, filepath.ToSlash(dir), path)
}

// disk is the file system of this machine.
type disk struct{}

// Exists reports whether there is an entry. An entry that can't be read counts: the caller reports why.
func (disk) Exists(path string) bool {
	_, err := os.Lstat(filepath.FromSlash(path))
	return !errors.Is(err, fs.ErrNotExist)
}

// maxNames is how many entries of a directory are compared with a name.
const maxNames = 1 << 20

func (disk) Names(dir string) iter.Seq[string] {
	return func(yield func(string) bool) {
		f, err := os.Open(filepath.FromSlash(dir))
		if err != nil {
			return // the caller reports what it can't read
		}
		defer f.Close()
		for looked := 0; looked < maxNames; {
			names, err := f.Readdirnames(512)
			for _, name := range names {
				if !yield(name) {
					return
				}
			}
			if looked += len(names); err != nil {
				return
			}
		}
	}
}
