// Package cleanup removes what the cluster leaves on the machine after its programs have ended: the containers, which
// survive containerd, mounts, cgroups, and files outside the cluster's own directory.
package cleanup

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/test/cluster/place"
	"pipec.dev/pipec/test/cluster/process"
)

// Containers ends every container and the shims that watch over them. containerd must have ended, or it would start
// more.
func Containers() error {
	children, shims, err := shims()
	if err != nil {
		return err
	}
	var kill func(pid int) error
	kill = func(pid int) error {
		for _, child := range children[pid] {
			if err := kill(child); err != nil {
				return err
			}
		}
		return process.Kill(pid)
	}
	for _, shim := range shims {
		if err := kill(shim); err != nil {
			return err
		}
	}
	return nil
}

// shims returns the shims of the cluster's containerd, known by its socket in their command line, and all processes'
// children. A container's processes are below its shim: it takes those in whose parent has ended.
func shims() (children map[int][]int, shims []int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, nil, err
	}
	children = map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join("/proc", e.Name())
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], pid)
		}
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		argv := strings.Split(string(args), "\x00")
		if filepath.Base(argv[0]) == "containerd-shim-runc-v2" && slices.ContainsFunc(argv, isOurs) {
			shims = append(shims, pid)
		}
	}
	return children, shims, nil
}

func isOurs(path string) bool { return strings.HasPrefix(path, place.State+"/") }

// Mounts takes away every mount below the state.
func Mounts() error {
	info, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer info.Close()
	var points []string
	for lines := bufio.NewScanner(info); lines.Scan(); {
		// The kernel writes a blank in a path as \040. Only paths of volumes have one, and they are recognized by their
		// prefix.
		if point := strings.ReplaceAll(strings.Fields(lines.Text())[4], `\040`, " "); isOurs(point) {
			points = append(points, point)
		}
	}
	slices.Reverse(points) // the last mounted first
	for _, point := range points {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return &fs.PathError{Op: "unmount", Path: point, Err: err}
		}
	}
	return nil
}
