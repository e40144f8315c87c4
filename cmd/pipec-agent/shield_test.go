//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

const (
	// attackVariable is the variable with which a test starts itself as the process of a step that attacks the agent.
	attackVariable = "TEST_ATTACK"
	storeKey       = "the-key-of-the-store-41c2" // what it looks for
)

// attacks are the ways in which a process can read another one. Each returns what it has read.
var attacks = []struct {
	name string
	do   func(pid int) ([]byte, error)
}{
	{"environ", func(pid int) ([]byte, error) { return os.ReadFile(procFile(pid, "environ")) }},
	{"maps", func(pid int) ([]byte, error) { return os.ReadFile(procFile(pid, "maps")) }},
	{"auxv", func(pid int) ([]byte, error) { return os.ReadFile(procFile(pid, "auxv")) }},
	{"mem", readMem},
	{"process_vm_readv", readVM},
	{"ptrace", attach},
	{"pidfd_getfd", takeFile},
	{"fd", func(pid int) ([]byte, error) { _, err := os.Readlink(procFile(pid, "fd/1")); return nil, err }},
	{"map_files", func(pid int) ([]byte, error) { return nil, listable(procFile(pid, "map_files")) }},
	{"fd/1", func(pid int) ([]byte, error) {
		f, err := os.OpenFile(procFile(pid, "fd/1"), os.O_WRONLY, 0)
		if err == nil {
			err = f.Close()
		}
		return nil, err
	}},
	{"root", func(pid int) ([]byte, error) { _, err := os.Readlink(procFile(pid, "root")); return nil, err }},
}

func procFile(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }

func listable(dir string) error {
	_, err := os.ReadDir(dir)
	return err
}

// regions returns the writable regions of a process.
func regions(pid int) (out [][2]uint64, err error) {
	maps, err := os.ReadFile(procFile(pid, "maps"))
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n == 3 && strings.HasPrefix(mode, "rw") && to-from < 64<<20 {
			out = append(out, [2]uint64{from, to})
		}
	}
	return out, err
}

func readMem(pid int) ([]byte, error) {
	f, err := os.Open(procFile(pid, "mem"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found, err := regions(pid)
	var out []byte
	for _, r := range found {
		part := make([]byte, r[1]-r[0])
		n, _ := f.ReadAt(part, int64(r[0]))
		out = append(out, part[:n]...)
	}
	return out, err
}

func readVM(pid int) ([]byte, error) {
	found, err := regions(pid)
	if err != nil {
		found = [][2]uint64{{0xc000000000, 0xc000001000}} // the heap of Go
	}
	var out []byte
	for _, r := range found {
		part := make([]byte, r[1]-r[0])
		local := unix.Iovec{Base: &part[0]}
		local.SetLen(len(part))
		n, err := unix.ProcessVMReadv(pid, []unix.Iovec{local}, []unix.RemoteIovec{{Base: uintptr(r[0]), Len: len(part)}}, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, part[:n]...)
	}
	return out, nil
}

func attach(pid int) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PtraceSeize(pid); err != nil {
		return nil, err
	}
	return nil, unix.PtraceInterrupt(pid) // the end of the thread detaches it
}

func takeFile(pid int) ([]byte, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	got, err := unix.PidfdGetfd(fd, 1, 0)
	if err == nil {
		err = unix.Close(got)
	}
	return nil, err
}

// attack runs as the process of a step. It attacks a process of its own, which shows that the attacks work, and then the agent. It
// prints a line for each.
func attack() {
	victim := exec.Command("cat")
	victim.Env = append(os.Environ(), "KEY="+storeKey)
	if err := answers(victim); err != nil {
		fmt.Println("victim", err)
		return
	}
	defer func() { _ = victim.Process.Kill() }()
	for _, target := range []struct {
		name string
		pid  int
	}{{"victim", victim.Process.Pid}, {"agent", os.Getppid()}} {
		for _, a := range attacks {
			data, err := a.do(target.pid)
			verdict := "read"
			switch {
			case errors.Is(err, fs.ErrPermission):
				verdict = "denied"
			case err != nil:
				verdict = err.Error()
			case bytes.Contains(data, []byte(storeKey)):
				verdict = "found"
			}
			fmt.Println(target.name, a.name, verdict)
		}
		line, err := os.ReadFile(procFile(target.pid, "cmdline"))
		fmt.Println(target.name, "cmdline", err == nil && !bytes.Contains(line, []byte(storeKey)))
	}
	fmt.Println("own environment", !strings.Contains(strings.Join(os.Environ(), "\n"), storeKey))
	fmt.Println("own files", inherited())
	_ = os.WriteFile(os.Getenv("PIPEC_OUTPUT_o"), []byte("1"), 0o666)
}

// answers starts a cat, and waits until it has copied a line: a process that was just started has no environment yet.
func answers(cat *exec.Cmd) error {
	in, err := cat.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cat.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cat.Start(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(in); err != nil {
		return err
	}
	_, err = out.Read(make([]byte, 1))
	return err
}

// inherited returns the files that this process has inherited, without those that the Go runtime has opened.
func inherited() (out []string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		fd, _ := strconv.Atoi(e.Name())
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 && fd > 2 {
			out = append(out, e.Name())
		}
	}
	return out
}

// TestShield starts the agent as another user, with a step that tries to read the keys of the store.
func TestShield(t *testing.T) {
	if os.Getenv(attackVariable) != "" {
		attack()
		return
	}
	dir := t.TempDir()
	self, agent := filepath.Join(dir, "attack"), filepath.Join(dir, "pipec-agent")
	if out, err := exec.Command("go", "build", "-o", agent, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(self, data, 0o755), os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(agent, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, c := range attackers(t) {
		t.Run(c.name, func(t *testing.T) {
			home := filepath.Join(dir, c.name)
			if err := errors.Join(os.Mkdir(home, 0o777), os.Chmod(home, 0o777)); err != nil {
				t.Fatal(err)
			}
			script := "exec " + self + " -test.run='^TestShield$'"
			spec := specWith(t, script, home, program.Store{Kind: "local", Path: filepath.Join(home, "store")})
			if err := os.Chmod(spec, 0o644); err != nil {
				t.Fatal(err)
			}
			argv := slices.Concat(c.prefix, []string{agent, "step", "--spec", spec})
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Dir = home
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), attackVariable + "=1", "TOKEN=x", kube.EnvStorePrefix + "AWS_SECRET_ACCESS_KEY=" + storeKey}
			cmd.SysProcAttr = c.sys
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			text := string(out)
			if c.capable { // the memory can be read, and the environment is erased
				if !strings.Contains(text, "agent environ read\n") || !strings.Contains(text, "agent mem found\n") {
					t.Errorf("%s", text)
				}
				return
			}
			for _, a := range attacks {
				victim := "read"
				if slices.Contains([]string{"environ", "mem", "process_vm_readv"}, a.name) {
					victim = "found"
				}
				if a.name != "map_files" && !strings.Contains(text, "victim "+a.name+" "+victim+"\n") {
					t.Errorf("the attack %s does not work where it should", a.name)
				}
				if !strings.Contains(text, "agent "+a.name+" denied\n") {
					t.Errorf("the attack %s was not denied", a.name)
				}
			}
			for _, line := range []string{"agent cmdline true", "own environment true", "own files []"} {
				if !strings.Contains(text, line+"\n") {
					t.Errorf("there is no %q", line)
				}
			}
			if t.Failed() {
				t.Logf("%s", text)
			}
		})
	}
}

// attacker is the user as whom the agent and its step run.
type attacker struct {
	name   string
	prefix []string // of the command
	sys    *syscall.SysProcAttr

	capable bool // it has CAP_SYS_PTRACE
}

// attackers returns an ordinary user and, if the test runs as root, root with and without capabilities.
func attackers(t *testing.T) []attacker {
	if os.Getuid() != 0 {
		return []attacker{{name: "user"}}
	}
	const sysPtrace = 1 << 19
	var out []attacker
	header, caps := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	if err := unix.Capget(&header, &caps[0]); err == nil && caps[0].Effective&sysPtrace != 0 {
		out = append(out, attacker{name: "capable", capable: true})
	}
	out = append(out, attacker{name: "user", sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: kube.DefaultUser, Gid: kube.DefaultUser}}})
	if path, err := exec.LookPath("setpriv"); err == nil {
		out = append(out, attacker{name: "root", prefix: []string{path, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--"}})
	} else {
		t.Log("setpriv is missing: root without capabilities is not tested")
	}
	return out
}
