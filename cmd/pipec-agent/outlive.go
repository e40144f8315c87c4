package main

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// outlive ignores signals that would end the agent without a report, if a process sends them. The step's process may send
// signals to the agent, which runs as the same user. A fault of the agent itself still ends it, and a child starts with the
// default actions: signal.Ignore would be inherited.
func outlive() {
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP, unix.SIGQUIT, unix.SIGABRT, unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM)
}
