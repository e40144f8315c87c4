package packaging

import (
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/base"
)

// Target is where packages will run.
type Target struct {
	Platform string // of the image, such as linux/amd64
	Python   base.Python
	Libc     base.Libc
}

// TargetOf returns the target of a base image.
func TargetOf(b *base.Base) Target {
	return Target{Platform: b.Platform, Python: b.Python, Libc: b.Libc}
}

// Machine returns the machine's name as Python has it, such as x86_64.
func (t Target) Machine() string {
	_, arch, _ := strings.Cut(t.Platform, "/")
	switch arch {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	case "386":
		return "i686"
	case "arm/v7", "arm":
		return "armv7l"
	case "arm/v6":
		return "armv6l"
	}
	arch, _, _ = strings.Cut(arch, "/")
	return arch
}

// Variables returns the variables of markers.
func (t Target) Variables() map[string]string { return t.variables() }

func (t Target) variables() map[string]string {
	return map[string]string{
		"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": t.Machine(),
		"platform_release": "", "platform_version": "",
		"python_version": t.Python.Minor(), "python_full_version": t.Python.Version,
		"implementation_name": "cpython", "implementation_version": t.Python.Version, "platform_python_implementation": "CPython",
	}
}

// Platforms returns the platform tags of compiled wheels, the best first.
func (t Target) Platforms() []string {
	var out []string
	machine := t.Machine()
	switch t.Libc.Name {
	case "glibc":
		minor := t.Libc.Minor
		if t.Libc.Major != 2 {
			minor = 17 // the oldest that current images have
		}
		oldest := 17
		if machine == "x86_64" || machine == "i686" {
			oldest = 5
		}
		legacy := map[int]string{17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
		for ; minor >= oldest; minor-- {
			out = append(out, fmt.Sprintf("manylinux_2_%d_%s", minor, machine))
			if name := legacy[minor]; name != "" {
				out = append(out, name+"_"+machine)
			}
		}
	case "musl":
		minor := t.Libc.Minor
		if t.Libc.Major != 1 {
			minor = 2
		}
		for ; minor >= 0; minor-- {
			out = append(out, fmt.Sprintf("musllinux_1_%d_%s", minor, machine))
		}
	}
	return append(out, "linux_"+machine)
}

// ABIs returns the ABI tags of compiled wheels for the exact Python version, the best first.
func (t Target) ABIs() []string {
	if t.Python.Threaded {
		return []string{"cp" + t.short() + "t", "none"}
	}
	return []string{"cp" + t.short(), "abi3", "none"}
}

// short returns the Python version as tags have it, such as 311.
func (t Target) short() string { return strings.ReplaceAll(t.Python.Minor(), ".", "") }

// Tags returns the tags of wheels that can be installed, with their ranks: the lowest is the best.
func (t Target) Tags() map[string]int {
	out := map[string]int{}
	add := func(python, abi string, platforms []string) {
		for _, p := range platforms {
			tag := python + "-" + abi + "-" + p
			if _, ok := out[tag]; !ok {
				out[tag] = len(out)
			}
		}
	}
	platforms, own := t.Platforms(), "cp"+t.short()
	for _, abi := range t.ABIs() {
		add(own, abi, platforms)
	}
	var minor int
	_, _ = fmt.Sscanf(t.Python.Minor(), "3.%d", &minor)
	if !t.Python.Threaded {
		for m := minor - 1; m >= 2; m-- {
			add(fmt.Sprintf("cp3%d", m), "abi3", platforms)
		}
	}
	pure := []string{fmt.Sprintf("py3%d", minor), "py3"}
	for m := minor - 1; m >= 0; m-- {
		pure = append(pure, fmt.Sprintf("py3%d", m))
	}
	for _, p := range pure {
		add(p, "none", platforms)
	}
	for _, p := range slices.Insert(pure, 0, own) {
		add(p, "none", []string{"any"})
	}
	return out
}
