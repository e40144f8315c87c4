package step

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Memory counts the processes that the kernel killed in this process's control group because memory ran out. It works
// on Linux with cgroup v2 or v1, and counts nothing elsewhere.
type Memory struct {
	events string // the file with the counter; "": none
}

// FindMemory finds the kernel's counter, if there is one. The location does not change while this process runs.
func FindMemory() *Memory {
	group, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return &Memory{}
	}
	for _, file := range memoryFiles(string(group)) {
		if unix.Access(file, unix.R_OK) == nil {
			return &Memory{events: file}
		}
	}
	return &Memory{}
}

// memoryFiles returns the possible counter files of a process, from its /proc/PID/cgroup. The root of v2 has no such
// file, nor has a group without memory accounting. A container on v1 sees the path that its group has on the node, but
// the group itself is mounted at the root. The root's own file counts for the whole machine and is not used.
func memoryFiles(group string) []string {
	var files []string
	for line := range strings.Lines(group) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), ":")
		controllers, path, _ := strings.Cut(line, ":")
		switch {
		case !strings.HasPrefix(path, "/"):
		case controllers == "":
			files = append(files, filepath.Join("/sys/fs/cgroup", path, "memory.events"))
		case slices.Contains(strings.Split(controllers, ","), "memory") && path != "/":
			const v1 = "/sys/fs/cgroup/memory"
			files = append(files, filepath.Join(v1, path, "memory.oom_control"), filepath.Join(v1, "memory.oom_control"))
		}
	}
	return files
}

// kills returns the current count. It runs for every attempt, so it makes few system calls.
func (m *Memory) kills() int64 {
	if m.events == "" {
		return 0
	}
	fd, err := unix.Open(m.events, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	var buf [512]byte // enough for a few names and numbers
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return 0
	}
	return countKills(buf[:n])
}

// countKills parses the content of memory.events or memory.oom_control.
func countKills(events []byte) int64 {
	for line := range bytes.Lines(events) {
		if count, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(count)), 10, 64)
			return n
		}
	}
	return 0
}
