package step

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup puts the process into a group of its own, so that a signal reaches its children too, and a Ctrl-C at the
// terminal doesn't reach it past pipec. Should pipec itself be killed, the kernel ends the process.
func ownGroup(handle *int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: handle}
}

func pipe(fds *[2]int) error { return unix.Pipe2(fds[:], unix.O_CLOEXEC) }

// finish waits for the process, and kills what is left of its group before it is reaped: until then nobody else can have
// the group's number.
func (c *child) finish(over func()) syscall.WaitStatus {
	for unix.Waitid(unix.P_PID, c.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		continue
	}
	over()
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	return c.reap()
}
