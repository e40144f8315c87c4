package step

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ownGroup puts the process into a group of its own, so that a signal reaches its children too, and a Ctrl-C at the
// terminal doesn't reach it past pipec. Should pipec itself be killed, the kernel ends the process.
func ownGroup(handle *int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: handle}
}

func pipe(fds *[2]int) error { return unix.Pipe2(fds[:], unix.O_CLOEXEC) }

// finish waits for the process, and kills what is left of its group before it is taken away: until then nobody else can
// have the group's number. Taking it away is left to release, for it takes the kernel a while.
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

// How a process ended, as the kernel has it (asm-generic/siginfo.h).
const (
	cldKilled = 2
	cldDumped = 3
)

// waitStatus is what wait4 would say of the process. The kernel's structure is a union: of a process that has ended,
// its number, its user and its status follow the part that is the same for all.
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
