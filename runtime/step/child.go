package step

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drainTime is how long output is awaited after the process ended and its group was killed: something else must hold
// the pipe then, a daemon that left the group.
const drainTime = time.Second

// child is a process that was started, and the end of the pipe that it writes to.
type child struct {
	pid    int
	handle int      // a file that can be read when the process has ended; -1: there is none
	r      int      // -1: closed, or given to file
	silent bool     // nothing was written, and nobody is left who could
	ended  bool     // it has ended, and was not taken away yet
	file   *os.File // r, when there is something to read
	heard  chan struct{}
}

// release gives back what is still held of a process that has ended.
func (c *child) release() {
	if c.file != nil {
		_ = c.file.Close()
	}
	closeFD(&c.r)
	closeFD(&c.handle)
	if c.ended {
		c.reap()
	}
}

func closeFD(fd *int) {
	if *fd >= 0 {
		_ = unix.Close(*fd)
		*fd = -1
	}
}

// awaitWord waits until the process has written something, can't write any more, or has ended; and says whether there is
// something to read or may be. Where the process has no handle it counts as one that writes from the start.
//
// The pipe's end comes a little before the process's, while that is still being taken down: who is woken by it is awake
// when it is time to go on.
func (c *child) awaitWord() (word bool) {
	if c.handle < 0 {
		return true
	}
	fds := [2]unix.PollFd{{Fd: int32(c.r), Events: unix.POLLIN}, {Fd: int32(c.handle), Events: unix.POLLIN}}
	n := poll(fds[:], -1)
	c.silent = n > 0 && fds[0].Revents == unix.POLLHUP
	return n <= 0 || fds[0].Revents != 0 && !c.silent
}

// listen takes what is written from now on, beside who waits for the process's end.
func (c *child) listen(out io.Writer) {
	_ = syscall.SetNonblock(c.r, true) // or nothing could end a reader but the pipe's end
	c.file = os.NewFile(uintptr(c.r), "output")
	c.r = -1
	c.heard = make(chan struct{})
	go func() {
		drain(c.file, out)
		close(c.heard)
	}()
}

// reap takes the process away, which has ended: its number may be another's from now on.
func (c *child) reap() syscall.WaitStatus {
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(c.pid, &status, 0, nil); !errors.Is(err, syscall.EINTR) {
			return status
		}
	}
}

// rest takes the output that is left when the process is gone.
func (c *child) rest(out io.Writer) {
	if c.silent {
		return
	}
	if c.file == nil {
		c.listen(out)
	}
	awaitDrained(c.file, out, c.heard)
}

// poll waits for one of the files; 0 where time ran out or the kernel refused.
func poll(fds []unix.PollFd, timeout int) int {
	for {
		n, err := unix.Poll(fds, timeout)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0)
		}
	}
}

// drain copies until the last writer has closed the pipe, or the deadline. out takes all that it is given.
func drain(r io.Reader, out io.Writer) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			_, _ = out.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// awaitDrained waits for the rest of the output. Where a daemon holds the pipe, what is in it by now is the rest.
func awaitDrained(r *os.File, out io.Writer, drained <-chan struct{}) {
	if r.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		<-drained
		return
	}
	<-drained
	if r.SetReadDeadline(time.Time{}) != nil {
		return
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 4<<10)
	for range 256 { // a pipe holds no more than that
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = unix.Read(int(fd), buf)
			return true
		})
		if err != nil || n <= 0 {
			return
		}
		_, _ = out.Write(buf[:n])
	}
}
