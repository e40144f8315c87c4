// Package process starts the cluster's long-running programs, checks whether they run, and stops them. A program keeps
// running after the process that started it has ended: its pid file identifies it. Its log is kept.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/test/cluster/place"
)

// A Program is one that is started once a cluster.
type Program struct {
	Name string
	Argv []string
	Env  []string // added to the environment, "NAME=value"
}

// Log is where the program's output goes.
func (p Program) Log() string { return filepath.Join(place.Logs, p.Name+".log") }

func (p Program) pidFile() string { return filepath.Join(place.Pids, p.Name) }

// Start starts the program in the cluster's network namespace, in a session of its own, and writes its pid file. It appends
// to the log, so that the log of a program that is restarted after a fault still has the fault.
func (p Program) Start() error {
	log, err := os.OpenFile(p.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	// nsenter runs the program in its own place, so the pid stays.
	cmd := exec.Command("nsenter", append([]string{"--net=/var/run/netns/" + place.Namespace}, p.Argv...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = place.State
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	began, err := startTime(cmd.Process.Pid)
	if err != nil {
		return fmt.Errorf("start %s: it ended at once: see %s", p.Name, p.Log())
	}
	go cmd.Wait() // so that it doesn't become a zombie while this program runs
	return os.WriteFile(p.pidFile(), fmt.Appendf(nil, "%d %s\n", cmd.Process.Pid, began), 0o644)
}

// Alive reports whether the program that was started last runs.
func (p Program) Alive() bool {
	_, ok := p.pid()
	return ok
}

// pid returns the running program's id. The time of its start, which the pid file has too, distinguishes it from a later
// process with the same id.
func (p Program) pid() (int, bool) {
	data, err := os.ReadFile(p.pidFile())
	if err != nil {
		return 0, false
	}
	id, began, ok := strings.Cut(strings.TrimSpace(string(data)), " ")
	pid, err := strconv.Atoi(id)
	if !ok || err != nil {
		return 0, false
	}
	now, err := startTime(pid)
	return pid, err == nil && now == began
}

// Stop ends the program: it sends SIGTERM, and kills the program if it has not ended within patience. It is not an error if
// the program doesn't run.
func (p Program) Stop(patience time.Duration) error {
	defer os.Remove(p.pidFile())
	pid, ok := p.pid()
	if !ok {
		return nil
	}
	if err := end(pid, patience); err != nil {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	return nil
}

// Kill ends a process by its id at once, and returns when it is gone.
func Kill(pid int) error { return end(pid, 0) }

func end(pid int, patience time.Duration) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	} else if err != nil {
		return err
	}
	defer unix.Close(fd)
	if patience > 0 {
		if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err == nil && gone(fd, patience) {
			return nil
		}
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	if !gone(fd, 10*time.Second) {
		return fmt.Errorf("process %d does not end", pid)
	}
	return nil
}

// gone waits until the process has ended.
func gone(fd int, patience time.Duration) bool {
	until := time.Now().Add(patience)
	for {
		left := time.Until(until)
		if left < 0 {
			return false
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return n > 0
		}
	}
}

// startTime returns when a process began, as the kernel counts; an error where there is none, or only its zombie.
func startTime(pid int) (string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The name is in parentheses and may contain any byte; state is the field after it, the start's time the 20th.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", os.ErrProcessDone
	}
	return fields[19], nil
}
