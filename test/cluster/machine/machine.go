// Package machine checks whether this machine can run the cluster, and installs what the cluster needs from the system:
// programs that Debian packages and that are not built here.
package machine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrUnable is in the error of a machine that cannot carry the cluster.
var ErrUnable = errors.New("this machine cannot run the test cluster")

// need is a file that the cluster takes from the system, with the Debian package that has it.
type need struct{ path, pkg string }

var needs = []need{
	{"runc", "runc"}, {"ip", "iproute2"}, {"iptables", "iptables"}, {"nsenter", "util-linux"}, {"mount", "mount"},
	{"docker-registry", "docker-registry"}, {"/usr/lib/cni/bridge", "containernetworking-plugins"},
	{"/usr/share/doc/busybox-static", "busybox-static"},
}

// Check returns an error with ErrUnable and the reason if the machine can't run the cluster.
func Check() error {
	unable := func(why string) error { return fmt.Errorf("%w: %s", ErrUnable, why) }
	switch {
	case runtime.GOOS != "linux":
		return unable("it is not Linux")
	case os.Geteuid() != 0:
		return unable("it requires root, for namespaces and mounts")
	}
	for _, controller := range []string{"/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory"} {
		if _, err := os.Stat(controller); err == nil {
			return probeNamespaces(unable)
		}
	}
	return unable("it has no cgroups at /sys/fs/cgroup")
}

// probeNamespaces tries what a container without privileges, where one is root too, refuses.
func probeNamespaces(unable func(string) error) error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return unable("unshare is missing (package util-linux)")
	}
	if out, err := exec.Command(unshare, "--net", "--mount", "true").CombinedOutput(); err != nil {
		return unable("it makes no namespaces: " + strings.TrimSpace(string(out)))
	}
	return nil
}

// Install installs the missing packages with apt-get, and reports progress on out.
func Install(out io.Writer) error {
	packages := missing()
	if len(packages) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: there is no apt-get; install these packages by hand: %s", ErrUnable, strings.Join(packages, ", "))
	}
	fmt.Fprintf(out, "installing %s\n", strings.Join(packages, ", "))
	install := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)
	if _, err := apt(install...); err == nil {
		return nil
	}
	// The lists may be missing, or older than the packages that the mirror still has.
	if text, err := apt("update", "-qq"); err != nil {
		return fmt.Errorf("apt-get update: %w\n%s", err, text)
	}
	if text, err := apt(install...); err != nil {
		return fmt.Errorf("apt-get install %s: %w\n%s", strings.Join(packages, " "), err, text)
	}
	if packages := missing(); len(packages) > 0 {
		return fmt.Errorf("these packages were installed, but files that the cluster needs from them are missing: %s", strings.Join(packages, ", "))
	}
	return nil
}

// missing returns the packages that are not installed.
func missing() []string {
	var packages []string
	for _, n := range needs {
		if _, err := exec.LookPath(n.path); err != nil && !exists(n.path) {
			packages = append(packages, n.pkg)
		}
	}
	return packages
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return filepath.IsAbs(path) && err == nil
}

// apt runs apt-get. It waits for another apt-get: tests install packages at the same time.
func apt(args ...string) (string, error) {
	cmd := exec.Command("apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	text, err := cmd.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n"), err
}
