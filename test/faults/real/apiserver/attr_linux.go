package apiserver

import "syscall"

// sysProcAttr puts a program in a process group of its own, and kills it if this process dies.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
