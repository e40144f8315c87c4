//go:build !linux

package step

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the process into a group of its own, so that a signal reaches its children too.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// waitGroup waits for the process, and kills what is left of its group.
func waitGroup(cmd *exec.Cmd) error {
	err := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	return err
}

// oomKills is for Linux.
func oomKills() int64 { return 0 }
