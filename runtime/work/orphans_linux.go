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
	return fmt.Errorf("processes of the run at %s start others faster than they can be killed", r.path)
}

func killMarked(mark []byte) (found bool, err error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return false, err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return false, err
	}
	var killed []int
	defer func() {
		for _, fd := range killed {
			_ = unix.Close(fd)
		}
	}()
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !marked(pid, mark) {
			continue
		}
		// The number may be another process's by now. A handle stays with its process: ask again, then kill by it.
		fd, err := unix.PidfdOpen(pid, 0)
		switch {
		case errors.Is(err, unix.ENOSYS):
			_ = unix.Kill(pid, unix.SIGKILL)
			found = true
		case err == nil:
			killed = append(killed, fd)
			if marked(pid, mark) && unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil {
				found = true
			}
		}
	}
	if !found {
		return false, nil
	}
	return true, awaitExit(killed)
}

func marked(pid int, mark []byte) bool {
	env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	return err == nil && (bytes.Contains(env, mark) || bytes.HasPrefix(env, mark[1:]))
}

// awaitExit waits for the ends of the processes: a handle can be read then.
func awaitExit(fds []int) error {
	end := time.Now().Add(killWait)
	for _, fd := range fds {
		for {
			left := time.Until(end)
			if left <= 0 {
				return errors.New("a process of the run is killed and doesn't end")
			}
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
			if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return nil
}
