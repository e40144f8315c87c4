package step

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ownGroup puts the process into its own group, so that a signal also reaches its children, and a Ctrl-C at the
// terminal reaches only pipec. If pipec itself is killed, the kernel kills the process.
func ownGroup(handle *int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: handle}
}

func pipe(fds *[2]int) error { return unix.Pipe2(fds[:], unix.O_CLOEXEC) }

// finish waits for the process, and kills the rest of its group before it is reaped, because until then the group's ID
// can't be reused. Reaping is left to release, because the kernel takes a while for it.
func (c *child) finish(over func()) syscall.WaitStatus {
	var info unix.Siginfo
	var err error = unix.EINTR
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, c.pid, &info, unix.WEXITED|unix.WNOWAIT, nil)
	}
	over()
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	if err != nil {
		return c.reap()
	}
	c.ended = true
	return waitStatus(&info)
}

// The ways in which a process can end, as defined by the kernel (asm-generic/siginfo.h).
const (
	cldKilled = 2
	cldDumped = 3
)

// waitStatus returns what wait4 would return. The kernel's structure is a union: for a process that has ended, the
// common part is followed by its process ID, user and status.
func waitStatus(info *unix.Siginfo) syscall.WaitStatus {
	const common = (3*4 + unsafe.Sizeof(uintptr(0)) - 1) &^ (unsafe.Sizeof(uintptr(0)) - 1)
	status := *(*int32)(unsafe.Add(unsafe.Pointer(info), common+8))
	switch info.Code {
	case cldKilled:
		return syscall.WaitStatus(status)
	case cldDumped:
		return syscall.WaitStatus(status | 0x80)
	}
	return syscall.WaitStatus(status << 8)
}
