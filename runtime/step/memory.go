package step

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory counts what the kernel killed in the control group of this process for want of memory. It is for Linux with
// cgroup v2; elsewhere nothing is counted.
type Memory struct {
	events string // the file that counts; "": there is none
}

// FindMemory finds where the kernel counts, if it does. That doesn't change while this process runs.
func FindMemory() *Memory {
	group, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return &Memory{}
	}
	for line := range strings.Lines(string(group)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			events := filepath.Join("/sys/fs/cgroup", path, "memory.events")
			if unix.Access(events, unix.R_OK) != nil {
				break // the root has none, nor has a group that memory is not counted for
			}
			return &Memory{events: events}
		}
	}
	return &Memory{}
}

// kills is how many there were by now. It is asked for every attempt, so it takes as few calls as can be.
func (m *Memory) kills() int64 {
	if m.events == "" {
		return 0
	}
	fd, err := unix.Open(m.events, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	var buf [512]byte // a handful of names and numbers
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return 0
	}
	return countKills(buf[:n])
}

// countKills reads the content of memory.events.
func countKills(events []byte) int64 {
	for line := range bytes.Lines(events) {
		if count, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(count)), 10, 64)
			return n
		}
	}
	return 0
}
