package step

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drainTime is how long to wait for output after the process has ended and its group was killed. Longer output comes
// from a daemon that left the group and still has the pipe.
const drainTime = time.Second

// child is a process that was started, and the read end of its output pipe.
type child struct {
	pid    int
	handle int      // a file that is readable when the process has ended; -1: none
	r      int      // -1: closed, or moved to file
	silent bool     // nothing was written, and no writer is left
	ended  bool     // it has ended, and was not reaped yet
	file   *os.File // r, if there is something to read
	heard  chan struct{}
}

// release releases the resources of a process that has ended.
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

// awaitWord waits until the process has written something, can't write any more, or has ended. It reports whether there
// may be something to read. A process without a handle is assumed to write.
//
// The end of the pipe comes shortly before the end of the process, whose teardown takes time: waking up early saves
// that time.
func (c *child) awaitWord() (word bool) {
	if c.handle < 0 {
		return true
	}
	fds := [2]unix.PollFd{{Fd: int32(c.r), Events: unix.POLLIN}, {Fd: int32(c.handle), Events: unix.POLLIN}}
	n := poll(fds[:], -1)
	c.silent = n > 0 && fds[0].Revents == unix.POLLHUP
	return n <= 0 || fds[0].Revents != 0 && !c.silent
}

// listen reads further output concurrently with the wait for the end of the process.
func (c *child) listen(out io.Writer) {
	_ = syscall.SetNonblock(c.r, true) // else only the end of the pipe could end a read
	c.file = os.NewFile(uintptr(c.r), "output")
	c.r = -1
	c.heard = make(chan struct{})
	go func() {
		drain(c.file, out)
		close(c.heard)
	}()
}

// reap reaps the process, which has ended. Its process ID may be reused afterwards.
func (c *child) reap() syscall.WaitStatus {
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(c.pid, &status, 0, nil); !errors.Is(err, syscall.EINTR) {
			return status
		}
	}
}

// rest reads the output that is left after the process has ended.
func (c *child) rest(out io.Writer) {
	if c.silent {
		return
	}
	if c.file == nil {
		c.listen(out)
	}
	awaitDrained(c.file, out, c.heard)
}

// poll waits until one of the files is readable. It returns 0 if the time is over or the kernel reports an error.
func poll(fds []unix.PollFd, timeout int) int {
	for {
		n, err := unix.Poll(fds, timeout)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0)
		}
	}
}

// drain copies until the last writer has closed the pipe, or until the deadline. out must accept all data.
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

// awaitDrained waits for the rest of the output. If a daemon still has the pipe, the rest is what the pipe contains
// now.
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
	for range 256 { // the capacity of a pipe
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
