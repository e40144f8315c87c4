package step

import (
	"context"
	"sync"
	"syscall"
	"time"
)

// stopper asks a process to end, once, for the first of two reasons: its timeout or its context. After the grace it
// kills the process's group. It needs no goroutine.
type stopper struct {
	pid   int
	grace time.Duration

	mu       sync.Mutex
	end      exit // why it was asked to end
	stopping bool
	gone     bool // the process ID may have been reused
	timers   []*time.Timer
	release  func() bool
}

func newStopper(ctx context.Context, pid int, timeout, grace time.Duration) *stopper {
	s := &stopper{pid: pid, grace: max(grace, 0)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if timeout > 0 {
		s.after(timeout, func() { s.ask(func() { s.end.timedOut = true }) })
	}
	s.release = context.AfterFunc(ctx, func() { s.ask(func() { s.end.stopped = context.Cause(ctx) }) })
	return s
}

// after requires that the caller holds the lock.
func (s *stopper) after(d time.Duration, do func()) {
	s.timers = append(s.timers, time.AfterFunc(d, do))
}

func (s *stopper) ask(why func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping || s.gone {
		return
	}
	s.stopping = true
	why()
	_ = syscall.Kill(-s.pid, syscall.SIGTERM)
	s.after(s.grace, s.kill)
}

func (s *stopper) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone {
		_ = syscall.Kill(-s.pid, syscall.SIGKILL)
	}
}

// over records that the process has ended: afterwards no signal is sent, and end does not change.
func (s *stopper) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
	s.release()
	for _, t := range s.timers {
		t.Stop()
	}
}
