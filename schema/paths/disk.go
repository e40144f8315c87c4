package paths

import (
	"errors"
	"io/fs"
	"iter"
)

// maxNames is how many entries of a directory are compared with a name.
const maxNames = 1 << 20

// Disk implements Files with functions such as those of package os.
type Disk struct {
	Lstat func(path string) (fs.FileInfo, error)
	Open  func(dir string) (Directory, error)
}

// Directory is an open directory: an *os.File.
type Directory interface {
	Readdirnames(n int) ([]string, error)
	Close() error
}

// Exists reports whether there is an entry. An entry that can't be read counts: the caller reports why.
func (d Disk) Exists(path string) bool {
	_, err := d.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Names returns the names in a directory, of which it reads a part at a time.
func (d Disk) Names(dir string) iter.Seq[string] {
	return func(yield func(string) bool) {
		f, err := d.Open(dir)
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
