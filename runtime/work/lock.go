package work

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/work/flock"
)

// ErrHeld reports that another process drives the run.
var ErrHeld = errors.New("another process is driving this run")

// Lock marks this process as the driver of the run. The kernel releases it when the process ends for any reason.
type Lock struct {
	run Run
	f   *os.File
}

// A process that only checks whether a lock is held takes it for a moment (Held), and a process that a driver was
// starting when it was killed has the lock until it executes its program. Neither must be mistaken for a driver.
const (
	lockTries = 100
	lockPause = 5 * time.Millisecond
)

// Lock creates the run's directory and takes its lock. It returns ErrHeld if another process has it.
func (r Run) Lock() (*Lock, error) {
	for try := 0; ; try++ {
		f, err := flock.Open(filepath.Join(r.path, lockName))
		if err != nil {
			// The directory may be removed between the two calls.
			if passing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist); !passing || try == lockTries {
				return nil, err
			}
			time.Sleep(lockPause)
			continue
		}
		err = flock.Lock(f, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && flock.AtPath(f) {
			return &Lock{run: r, f: f}, nil
		}
		_ = f.Close()
		switch {
		case err != nil && !errors.Is(err, unix.EWOULDBLOCK):
			return nil, &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
		case try == lockTries:
			return nil, ErrHeld
		}
		time.Sleep(lockPause)
	}
}

// Note stores in the run's directory the key of the record of the run's end.
func (l *Lock) Note(endKey string) error {
	_, err := l.f.WriteAt([]byte(endKey), 0)
	return err
}

// Noted returns the key that the last driver stored, or "".
func (r Run) Noted() string {
	data, err := os.ReadFile(filepath.Join(r.path, lockName))
	if err != nil {
		return ""
	}
	return string(data)
}

// Release releases the lock.
func (l *Lock) Release() { _ = l.f.Close() }

// Remove removes the run's directory, and releases the lock.
func (l *Lock) Remove() error {
	defer l.Release()
	return Remove(l.run.path)
}

// Held reports whether a process drives the run.
func (r Run) Held() bool {
	f, err := os.Open(filepath.Join(r.path, lockName))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(flock.Lock(f, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Released waits until no process drives the run. If ctx ends first, a goroutine remains blocked in the kernel.
func (r Run) Released(ctx context.Context) error {
	f, err := os.Open(filepath.Join(r.path, lockName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		done <- flock.Lock(f, unix.LOCK_SH)
		_ = f.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
