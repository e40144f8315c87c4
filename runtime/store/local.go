package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tempAge is the age of a temporary file that no process can still be writing.
const tempAge = 24 * time.Hour

// Local is a Store in a directory: an object is a file, its key the path.
//
// An object is written to a temporary file and then linked or renamed to its key, so that a killed process leaves at most
// a temporary file. Nothing is synced to the disk: after a loss of power an object may be torn, and then its digest doesn't
// match when it is read.
type Local struct {
	dir  string
	root *os.Root // every path is resolved beneath it, including symbolic links
	top  *os.File // the same directory, for calls that os.Root lacks

	prepared prepared
}

// OpenLocal opens the store in dir, and creates the directory if it is missing.
func OpenLocal(dir string) (*Local, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, tempDir), 0o777); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	top, err := root.Open(".")
	if err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("store: %w", err)
	}
	l := &Local{dir: dir, root: root, top: top}
	l.sweep(time.Now().Add(-tempAge))
	return l, nil
}

// Dir returns the directory of the store.
func (l *Local) Dir() string { return l.dir }

// Close closes the store, which must not be used afterwards.
func (l *Local) Close() error {
	l.prepared.close()
	return errors.Join(l.top.Close(), l.root.Close())
}

// sweep removes temporary files of killed processes. If that fails, they stay and do no harm.
func (l *Local) sweep(before time.Time) {
	dir, err := l.root.Open(tempDir)
	if err != nil {
		return
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(256)
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
				_ = l.root.Remove(path.Join(tempDir, e.Name()))
			}
		}
		if err != nil {
			return
		}
	}
}

// Get opens the file of the object.
func (l *Local) Get(_ context.Context, key string) (io.ReadCloser, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	f, err := l.open(key, os.O_RDONLY, 0)
	if err != nil {
		return nil, l.fault("read", key, err)
	}
	return f, nil
}

// Stat returns the size and the time of the file.
func (l *Local) Stat(_ context.Context, key string) (Info, error) {
	if err := CheckKey(key); err != nil {
		return Info{}, err
	}
	info, err := l.root.Stat(key)
	switch {
	case err != nil:
		return Info{}, l.fault("read", key, err)
	case !info.Mode().IsRegular():
		return Info{}, l.fault("read", key, fs.ErrNotExist)
	}
	return Info{Size: info.Size(), ModTime: info.ModTime()}, nil
}

// Move renames the file into the store. It returns ErrUnsupported for a file on another file system or with several links.
func (l *Local) Move(_ context.Context, file, key string, mode Mode) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Nlink != 1 || !info.Mode().IsRegular() {
		return errors.ErrUnsupported
	}
	dir, err := l.openDir(path.Dir(key))
	if err != nil {
		return l.fault("write", key, err)
	}
	defer unix.Close(dir)
	if info.Mode().Perm() != 0o444 {
		if err := os.Chmod(file, 0o444); err != nil {
			return errors.ErrUnsupported // the file has another owner: it is copied, which needs only read access
		}
	}
	if name := path.Base(key); mode != IfAbsent {
		err = unix.Renameat(unix.AT_FDCWD, file, dir, name)
	} else if err = renameNew(unix.AT_FDCWD, file, dir, name); errors.Is(err, errors.ErrUnsupported) {
		if err = unix.Linkat(unix.AT_FDCWD, file, dir, name, 0); err == nil {
			return os.Remove(file)
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EXDEV), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return errors.ErrUnsupported
	}
	return l.fault("write", key, err)
}

// fault adds the object and the store to an error of the file system.
func (l *Local) fault(did, key string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR) && did == "read":
		return fmt.Errorf("%s: %w", key, ErrNotExist)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s: %w", key, ErrExists)
	}
	var perr *fs.PathError
	if errors.As(err, &perr) {
		err = perr.Err
	}
	var lerr *os.LinkError
	if errors.As(err, &lerr) {
		err = lerr.Err
	}
	return fmt.Errorf("can't %s %s in the store %s: %w", did, key, l.dir, err)
}
