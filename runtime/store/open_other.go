//go:build !linux

package store

import (
	"errors"
	"os"
)

// openFD opens a file beneath the store's directory.
func (l *Local) openFD(name string, flags int, perm os.FileMode) (int, error) {
	return l.openRoot(name, flags, perm)
}

// renameNew is supported on Linux only.
func renameNew(int, string, int, string) error { return errors.ErrUnsupported }
