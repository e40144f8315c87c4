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

// Memory counts what the kernel killed in the control group of this process for want of memory. It is for Linux, with
// cgroup v2 or v1; elsewhere nothing is counted.
type Memory struct {
	events string // the file that counts; "": there is none
}

// FindMemory finds where the kernel counts, if it does. That doesn't change while this process runs.
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

// memoryFiles are where the kernel may count for a process, by its /proc/PID/cgroup. The root of v2 has no such file, nor
// has a group that memory is not counted for. A container on v1 sees the path that its group has on the node, and the
// group itself at the place of the root; the root's own file counts for the whole machine, so it isn't asked.
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

// countKills reads the content of memory.events, or of memory.oom_control.
func countKills(events []byte) int64 {
	for line := range bytes.Lines(events) {
		if count, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(count)), 10, 64)
			return n
		}
	}
	return 0
}
