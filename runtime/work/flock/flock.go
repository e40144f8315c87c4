// Package flock locks files by flock(2). The kernel releases a lock when the last process that has the open file closes it
// or ends, for any reason. Child processes that inherit the open file have the lock too.
//
// It decides neither what a lock means nor how long to wait for one.
package flock

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Open opens the file of a lock. It creates the file and its directory if they don't exist.
func Open(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
}

// Lock changes the lock of an open file. how is an operation of flock(2), such as unix.LOCK_EX. With unix.LOCK_NB it returns
// unix.EWOULDBLOCK if another process has the lock.
func Lock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// TryOpen opens a file and locks it. free is false, and f is nil, if another process has the lock.
func TryOpen(name string) (f *os.File, free bool, err error) {
	if f, err = Open(name); err != nil {
		return nil, false, err
	}
	if err = Lock(f, unix.LOCK_EX|unix.LOCK_NB); err == nil {
		return f, true, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, &fs.PathError{Op: "lock", Path: name, Err: err}
}

// AtPath reports whether an open file is still the file at its path: it may have been removed, with its directory.
func AtPath(f *os.File) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(f.Name())
	return err == nil && os.SameFile(open, current)
}
