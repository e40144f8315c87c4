package work

import (
	"context"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// locks waits for one of several locks. The kernel's waiting can't be taken back: who gives up leaves a thread behind,
// which lets the lock go as soon as it has it; or the next one that waits for that lock takes over what it gets. So there
// is never more than one for each file.
type locks struct {
	mu      sync.Mutex
	blocked map[string]bool // files whose lock is waited for
	wanted  map[string]bool
	got     chan locked // takes one; nil: nobody waits
}

type locked struct {
	f   *os.File
	err error
}

// wait gives the first of the files that can be locked. tell is called when there is none at once.
func (l *locks) wait(ctx context.Context, names []string, tell func()) (*os.File, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, name := range names {
		if f, free, err := tryLock(name); free || err != nil {
			return f, err
		}
	}
	tell()
	got := make(chan locked, 1)
	l.mu.Lock()
	l.got, l.wanted = got, map[string]bool{}
	if l.blocked == nil {
		l.blocked = map[string]bool{}
	}
	for _, name := range names {
		l.wanted[name] = true
		if !l.blocked[name] {
			l.blocked[name] = true
			go l.block(name)
		}
	}
	l.mu.Unlock()
	select {
	case one := <-got:
		return one.f, one.err
	case <-ctx.Done():
	}
	l.mu.Lock()
	l.got = nil
	l.mu.Unlock()
	select {
	case one := <-got: // both at once
		if one.f != nil {
			_ = one.f.Close()
		}
	default:
	}
	return nil, context.Cause(ctx)
}

// block waits in the kernel for the lock of a file, and gives it to who waits for it by then.
func (l *locks) block(name string) {
	f, err := openPlace(name)
	if err == nil {
		if err = flock(f, unix.LOCK_EX); err != nil {
			_ = f.Close()
			err = &fs.PathError{Op: "lock", Path: name, Err: err}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked[name] = false
	switch {
	case l.got != nil && l.wanted[name]:
		one := locked{err: err}
		if err == nil {
			one.f = f
		}
		l.got <- one
		l.got = nil
	case err == nil:
		_ = f.Close()
	}
}
