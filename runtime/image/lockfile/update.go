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

// Who has the lock's lock reads and writes one file: waiting longer than this means that it hangs.
const (
	patience = 10 * time.Second
	pause    = 10 * time.Millisecond
)

// Update changes the lock of the project in dir: change is given what the file holds at that moment. Two that do so at
// once come one after the other. The file is written whole or not at all, and only where something has changed.
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
	if bytes.Equal(old, encoded) || old == nil && len(lock.Agents)+len(lock.Codes)+len(lock.Images)+len(lock.Clusters) == 0 {
		return lock, false, nil
	}
	if err := write(name, encoded); err != nil {
		return nil, false, fmt.Errorf("%s can't be written: %w", program.LockFile, err)
	}
	return lock, true, nil
}

// hold keeps other processes from changing the lock until release. The kernel releases it when the process ends.
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

// write puts a new file in the place of the old one. What a killed process left of a new one is written over: only who
// holds writes.
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
