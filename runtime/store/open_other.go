//go:build !linux

package store

import "os"

// open opens a file beneath the store's directory.
func (l *Local) open(name string, flags int, perm os.FileMode) (*os.File, error) {
	return l.root.OpenFile(name, flags, perm)
}
