package main

import (
	"errors"
	"os"
	"os/signal"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// reaper takes away processes that have ended and have no parent but this one: the first process of a container is given
// all orphans. It leaves the user's own process to the wrapper, which waits for it.
type reaper struct{ user atomic.Int64 }

// newReaper begins to reap, where this is the first process of a container, when the user's process has started.
func newReaper() *reaper { return &reaper{} }

// started is told of the user's process.
func (r *reaper) started(pid int) {
	if os.Getpid() != 1 || !r.user.CompareAndSwap(0, int64(pid)) {
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	go func() {
		for {
			r.reap()
			<-ended
		}
	}()
}

// reap takes away all orphans that have ended. Where the user's process has ended too it hides others from the kernel's
// answer: what is left then goes with the container.
func (r *reaper) reap() {
	for {
		pid, err := endedChild()
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil || pid == 0 || int64(pid) == r.user.Load():
			return
		}
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
