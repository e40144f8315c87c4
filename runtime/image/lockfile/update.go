package lockfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/program"
)

// A process that holds the lock file's own lock only reads and writes one file: longer waiting means that it hangs.
const (
	patience = 10 * time.Second
	pause    = 10 * time.Millisecond
)

// Update changes the lock of the project in dir. It calls change with the current content of the file. Concurrent
// updates run one after the other. The file is replaced atomically, and only if something has changed.
func Update(ctx context.Context, dir string, change func(*program.Lock)) (lock *program.Lock, changed bool, err error) {
	release, err := hold(ctx, dir)
	if err != nil {
		return nil, false, err
	}
	defer release()
	name := filepath.Join(dir, program.LockFile)
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	old, err := read(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		lock = &program.Lock{}
	case err != nil:
		return nil, false, err
	default:
		if lock, err = Decode(filepath.Join(dir, program.LockFile), old); err != nil {
			return nil, false, err
		}
	}
	change(lock)
	lock.Version = program.LockVersion
	encoded, err := Encode(lock)
	if err != nil {
		return nil, false, err
	}
	empty, _ := Encode(&program.Lock{})
	if bytes.Equal(old, encoded) || old == nil && bytes.Equal(encoded, empty) {
		return lock, false, nil
	}
	if err := write(name, encoded); err != nil {
		return nil, false, fmt.Errorf("%s can't be written: %w", program.LockFile, err)
	}
	return lock, true, nil
}

// hold prevents other processes from changing the lock until release is called. The kernel releases it when the process
// ends.
func hold(ctx context.Context, dir string) (release func(), err error) {
	dir = filepath.Join(dir, ".pipec")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "push.lock"), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(patience); ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			_ = f.Close()
			return nil, &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
		case time.Now().After(until):
			_ = f.Close()
			return nil, fmt.Errorf("another pipec has been writing %s for %s: it holds the lock %s", program.LockFile, patience, f.Name())
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// write replaces the file. It overwrites a temporary file that a killed process left, because only the holder writes.
func write(name string, data []byte) (err error) {
	mode := fs.FileMode(0o666)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	temp := filepath.Join(filepath.Dir(name), "."+program.LockFile+".new")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(temp, name)
}
