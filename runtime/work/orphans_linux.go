package work

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	killRounds = 20 // a process may start another one before it is killed
	killWait   = 10 * time.Second

	// A process that is executing another program has no environment for a moment.
	emptyTries = 20
	emptyPause = time.Millisecond
)

// Kill kills every process that works for the run, including those that left their process group or outlived their
// driver. It finds them by their environment, which contains the path of the step's inputs. When it returns, none is
// alive, except those that hid their environment or belong to another user.
func (r Run) Kill() error {
	mark := []byte("\x00PIPEC_INPUTS=" + r.path + "/")
	for range killRounds {
		found, err := killMarked(mark)
		if err != nil || !found {
			return err
		}
	}
	return fmt.Errorf("the processes of the run at %s start new processes faster than they can be killed", r.path)
}

// Processes returns handles of the processes that work for the run, which are found as in Kill. The caller closes them.
func (r Run) Processes() Processes {
	mark := []byte("\x00PIPEC_INPUTS=" + r.path + "/")
	var out Processes
	_ = eachMarked(mark, func(pid int) {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return
		}
		if is, _ := marked(pid, mark); !is || gone(pid) { // the process ID may have been reused
			_ = unix.Close(fd)
			return
		}
		out = append(out, fd)
	})
	return out
}

func killMarked(mark []byte) (found bool, err error) {
	var killed Processes
	defer func() { killed.Close() }()
	err = eachMarked(mark, func(pid int) { found = kill(pid, mark, &killed) || found })
	if err != nil || !found {
		return false, err
	}
	return true, awaitExit(killed)
}

// eachMarked calls do for each process with the mark, except this one.
func eachMarked(mark []byte, do func(pid int)) error {
	proc, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	for try := 0; len(pids) > 0 && try < emptyTries; try++ {
		var empty []int
		for _, pid := range pids {
			is, known := marked(pid, mark)
			switch {
			case !known:
				empty = append(empty, pid)
			case is:
				do(pid)
			}
		}
		if pids = empty; len(pids) > 0 {
			time.Sleep(emptyPause)
		}
	}
	return nil
}

// kill kills the process if it is still the marked one, because process IDs are reused. A handle refers to one process,
// so the mark is checked again after opening the handle.
func kill(pid int, mark []byte, handles *Processes) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ENOSYS) {
		return unix.Kill(pid, unix.SIGKILL) == nil
	}
	if err != nil {
		return false
	}
	is, known := marked(pid, mark)
	if !is || unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) != nil {
		_ = unix.Close(fd)
		return !known // it is executing another program: repeat
	}
	*handles = append(*handles, fd)
	return true
}

// marked reports whether the process has the mark in its environment. known is false if the process is alive and its
// environment is empty.
func marked(pid int, mark []byte) (is, known bool) {
	env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return false, true // it has ended, or belongs to another user
	}
	if len(env) == 0 {
		return false, gone(pid)
	}
	return bytes.Contains(env, mark) || bytes.HasPrefix(env, mark[1:]), true
}

// gone reports whether a process has ended, or is a kernel thread.
func gone(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	// pid (name) state ppid pgrp session tty tpgid flags
	_, rest, ok := bytes.Cut(stat[max(bytes.LastIndexByte(stat, ')'), 0):], []byte(") "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) < 7 {
		return true
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	const kernelThread = 0x00200000
	return err != nil || fields[0][0] == 'Z' || fields[0][0] == 'X' || flags&kernelThread != 0
}

// awaitExit waits until the processes have ended: then their handles are readable.
func awaitExit(fds Processes) error {
	end := time.Now().Add(killWait)
	for _, fd := range fds {
		for {
			left := time.Until(end)
			if left <= 0 {
				return errors.New("a process of the run was killed but doesn't end")
			}
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
			if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return nil
}
