package cleanup

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/test/cluster/place"
)

// Files removes the state, and what the programs wrote to fixed places. It keeps the logs. Directories outside the state
// are removed if they are empty.
func Files() error {
	shimSockets()
	remove("/var/log/containers/*.log", func(path string) bool {
		to, err := os.Readlink(path)
		return err == nil && isOurs(to)
	})
	// What the network plug-ins noted of each pod names its network namespace, which is in the state.
	remove("/var/lib/cni/results/*", func(path string) bool {
		data, err := os.ReadFile(path)
		return err == nil && bytes.Contains(data, []byte(place.State+"/"))
	})
	remove("/var/lib/kubelet/device-plugins/kubelet.sock", func(path string) bool {
		c, err := net.Dial("unix", path)
		if err == nil {
			c.Close()
		}
		return err != nil // else it is another kubelet's
	})
	for _, dir := range []string{"/var/log/containers", "/var/lib/cni/results", "/var/lib/cni", "/var/lib/kubelet/device-plugins",
		"/var/lib/kubelet", "/run/containerd/s", "/run/containerd"} {
		os.Remove(dir)
	}
	cgroups()
	return os.RemoveAll(place.State)
}

// remove removes the files of a pattern of which ours is true.
func remove(pattern string, ours func(path string) bool) {
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		if ours(path) {
			os.Remove(path)
		}
	}
}

// shimSockets removes the sockets of the shims, whose addresses are in the state.
func shimSockets() {
	files, _ := filepath.Glob(place.Run + "/containerd/io.containerd.runtime.v2.task/k8s.io/*/bootstrap.json")
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		var shim struct{ Address string }
		if json.Unmarshal(data, &shim) == nil {
			os.Remove(strings.TrimPrefix(shim.Address, "unix://"))
		}
	}
}

// cgroups removes the pods' cgroups, of either version. Only empty ones go: the kernel keeps those of a process.
func cgroups() {
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/kubepods")
	for _, root := range append(roots, "/sys/fs/cgroup/kubepods") {
		var dirs []string
		filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		slices.Reverse(dirs)
		for _, dir := range dirs {
			os.Remove(dir)
		}
	}
}
