// Package spill keeps large values of a run in a file instead of memory. A coordinator has 128 MiB, and the outputs of 2,000
// steps may be as large: they are needed again when a step reads them, and at the end of the run.
//
// It decides nothing about values, and it is not a cache: a value that is kept is never released before the process ends.
package spill

import "os"

const (
	// minValue is the size of the smallest value that is moved to the file.
	minValue = 4 << 10
	// extent is how much of the file is mapped at once. A larger value stays in memory.
	extent = 64 << 20
	// residentMax is how many bytes are kept until the pages of the file are given back to the system. They are read again from
	// the file when they are used.
	residentMax = 4 << 20
)

// File keeps values. It is not safe for concurrent use, but the values that it returns are.
type File struct {
	dir    string
	file   *os.File // has no name any more; nil: no value was kept
	mapped [][]byte // the extents of the file, in order
	used   int      // bytes of the last extent
	fresh  int      // bytes that were kept since pages were given back
	failed bool     // the file can't be written: values stay in memory
}

// New returns a file in a directory; "": in the default one for temporary files. It is created when the first large value is
// kept, and the system removes it when the process ends.
func New(dir string) *File { return &File{dir: dir} }

// Keep returns a value with the same bytes, which must not be changed. If the file can't be written, that is the value itself.
func (f *File) Keep(value []byte) []byte {
	if len(value) < minValue || len(value) > extent || f.failed {
		return value
	}
	kept, err := f.keep(value)
	if err != nil {
		f.failed = true
		return value
	}
	return kept
}
