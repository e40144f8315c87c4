package main

import (
	"errors"
	"os"
	"os/signal"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// reaper reaps orphans: processes that have ended and whose parent is this process, because the kernel makes the first
// process of a container the parent of all orphans. It leaves the user's own process to the wrapper, which waits for
// it.
type reaper struct{ user atomic.Int64 }

// newReaper returns a reaper that starts when the user's process has started, if this is the first process of a
// container.
func newReaper() *reaper { return &reaper{} }

// started is called with the user's process.
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

// reap reaps all orphans that have ended. If the user's process has ended too, the kernel may report it in place of
// others: these remain until the container ends.
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
