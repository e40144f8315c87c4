package work

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// ErrHeld says that another process drives the run.
var ErrHeld = errors.New("another process is driving this run")

// Lock says that this process drives the run. The kernel takes it back when the process ends, however it ends.
type Lock struct {
	run Run
	f   *os.File
}

// Who only looks whether a lock is held takes it for a moment (Held), and a process that a driver was starting when it
// was killed has the lock until it runs its program: neither must look like a driver.
const (
	lockTries = 100
	lockPause = 5 * time.Millisecond
)

// Lock makes the run's place and takes its lock; ErrHeld where another has it.
func (r Run) Lock() (*Lock, error) {
	for try := 0; ; try++ {
		f, err := r.openLock()
		if err != nil {
			// A place that is removed at this moment is there and isn't.
			if passing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist); !passing || try == lockTries {
				return nil, err
			}
			time.Sleep(lockPause)
			continue
		}
		err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && r.isLock(f) {
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

func (r Run) openLock() (*os.File, error) {
	name := filepath.Join(r.path, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(r.path, 0o777); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
}

// isLock says whether the file is still the one at the lock's path: the place may have been removed meanwhile.
func (r Run) isLock(f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(filepath.Join(r.path, lockName))
	return err == nil && os.SameFile(mine, there)
}

// Note keeps, in the place of the run, the key of the record that says that the run has ended.
func (l *Lock) Note(endKey string) error {
	_, err := l.f.WriteAt([]byte(endKey), 0)
	return err
}

// Noted is what the last driver noted; "" without.
func (r Run) Noted() string {
	data, err := os.ReadFile(filepath.Join(r.path, lockName))
	if err != nil {
		return ""
	}
	return string(data)
}

// Release gives the lock back.
func (l *Lock) Release() { _ = l.f.Close() }

// Remove removes the run's place, and gives the lock back.
func (l *Lock) Remove() error {
	defer l.Release()
	return Remove(l.run.path)
}

// Held says whether a process drives the run.
func (r Run) Held() bool {
	f, err := os.Open(filepath.Join(r.path, lockName))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(flock(f, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Released waits until no process drives the run. Where ctx ends first, the kernel is left to wait in the background.
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
		done <- flock(f, unix.LOCK_SH)
		_ = f.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
