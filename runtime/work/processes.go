package work

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Processes are handles of processes. A handle keeps referring to the same process after its process ID was reused.
type Processes []int

// Close closes the handles.
func (p Processes) Close() {
	for _, fd := range p {
		_ = unix.Close(fd)
	}
}

// AwaitEnd waits until one of the processes has ended.
func (p Processes) AwaitEnd(ctx context.Context) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = w.Write([]byte{0}) })
	defer stop()
	fds := []unix.PollFd{{Fd: int32(r.Fd()), Events: unix.POLLIN}}
	for _, fd := range p {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, unix.EINTR):
			return err
		}
	}
}
