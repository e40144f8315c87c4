package groups

import (
	"context"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/work/flock"
)

// locks waits for any of several file locks. Waiting in the kernel can't be cancelled. A waiter that gives up leaves a
// blocked thread behind, which releases the lock as soon as it gets it, unless another waiter for that lock takes it
// over. So there is at most one blocked thread per file.
type locks struct {
	mu      sync.Mutex
	blocked map[string]bool // files whose lock a thread waits for
	targets map[string]bool
	got     chan locked // receives one lock; nil: there is no waiter
}

type locked struct {
	f   *os.File
	err error
}

// wait returns the first of the files that it can lock. It calls report if none is free immediately.
func (l *locks) wait(ctx context.Context, names []string, report func()) (*os.File, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, name := range names {
		if f, free, err := flock.TryOpen(name); free || err != nil {
			return f, err
		}
	}
	report()
	got := make(chan locked, 1)
	l.mu.Lock()
	l.got, l.targets = got, map[string]bool{}
	if l.blocked == nil {
		l.blocked = map[string]bool{}
	}
	for _, name := range names {
		l.targets[name] = true
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
	case one := <-got: // both happened
		if one.f != nil {
			_ = one.f.Close()
		}
	default:
	}
	return nil, context.Cause(ctx)
}

// block waits in the kernel for the lock of a file, and passes it to the current waiter.
func (l *locks) block(name string) {
	f, err := flock.Open(name)
	if err == nil {
		if err = flock.Lock(f, unix.LOCK_EX); err != nil {
			_ = f.Close()
			err = &fs.PathError{Op: "lock", Path: name, Err: err}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked[name] = false
	switch {
	case l.got != nil && l.targets[name]:
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
