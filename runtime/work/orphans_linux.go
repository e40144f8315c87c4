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

	// A process that runs another program at this moment has no environment for a moment.
	emptyTries = 20
	emptyPause = time.Millisecond
)

// Kill ends, at once, every process that works for the run, also one that has left its process group or outlived its
// driver. It knows them by their environment, where the wrapper of a step puts the place of its inputs. None is alive
// when it returns, but of those that hid their environment or that another user owns.
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

// processes are handles of the processes that work for the run, as Kill knows them.
func (r Run) processes() []int {
	mark := []byte("\x00PIPEC_INPUTS=" + r.path + "/")
	var out []int
	_ = eachMarked(mark, func(pid int) {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return
		}
		if is, _ := marked(pid, mark); !is || gone(pid) { // its number may be another's by now
			_ = unix.Close(fd)
			return
		}
		out = append(out, fd)
	})
	return out
}

func killMarked(mark []byte) (found bool, err error) {
	var killed []int
	defer func() { closeAll(killed) }()
	err = eachMarked(mark, func(pid int) { found = kill(pid, mark, &killed) || found })
	if err != nil || !found {
		return false, err
	}
	return true, awaitExit(killed)
}

// eachMarked calls do for each process that has the mark, but for this one.
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

// kill kills the process, if it is still the one that was marked: its number may be another's by now. A handle stays
// with its process, so it is asked again, and then killed by it.
func kill(pid int, mark []byte, handles *[]int) bool {
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
		return !known // it changes its program right now: there is to be another round
	}
	*handles = append(*handles, fd)
	return true
}

// marked says whether the process has the mark in its environment; known is false where it lives and shows none.
func marked(pid int, mark []byte) (is, known bool) {
	env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err != nil {
		return false, true // it is gone, or another user's
	}
	if len(env) == 0 {
		return false, gone(pid)
	}
	return bytes.Contains(env, mark) || bytes.HasPrefix(env, mark[1:]), true
}

// gone says whether a process has ended, or is one of the kernel's own.
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

// awaitExit waits for the ends of the processes: a handle can be read then.
func awaitExit(fds []int) error {
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
