//go:build !linux

package step

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup puts the process into its own group, so that a signal also reaches its children. There are no handles.
func ownGroup(*int) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func pipe(fds *[2]int) error {
	// No process may be started between the two calls, because it would inherit the pipe.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(fds[:]); err != nil {
		return err
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	return nil
}

// finish waits for the process, and kills the rest of its group.
func (c *child) finish(over func()) syscall.WaitStatus {
	status := c.reap()
	over()
	_ = syscall.Kill(-c.pid, syscall.SIGKILL)
	return status
}
