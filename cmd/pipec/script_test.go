package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pipec.dev/pipec/runtime/aws/awstest"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// TestMain makes this test binary the command pipec as well, for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pipec": main})
}

// TestScript runs testdata/script: each a project and the commands that a user gives, with what they print.
func TestScript(t *testing.T) {
	testscript.Run(t, scripts(filepath.Join("testdata", "script")))
}

// scripts are the parameters for the scripts in a directory.
func scripts(dir string) testscript.Params {
	clouds := &fakes{byDir: map[string]*awstest.Server{}}
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("CI", "")
			env.Setenv("PIPEC_STACK", "")
			env.Defer(func() { killAll(env.WorkDir) })
			if strings.Contains(filepath.Base(env.WorkDir), "recipe") {
				clouds.start(env)
			}
			examples, err := filepath.Abs("../../examples")
			env.Setenv("EXAMPLES", examples)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": status, "gone": gone, "aws": clouds.command},
	}
}

// status runs a command and checks its exit status: status 64 pipec nonsense. Its output is in the files stdout and
// stderr of the work directory.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND ARG...")
	}
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = err.Error()
		if n, ok := bytes.CutPrefix([]byte(got), []byte("exit status ")); ok {
			got = string(n)
		}
	}
	for name, text := range map[string]string{"stdout": ts.ReadFile("stdout"), "stderr": ts.ReadFile("stderr")} {
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
	if got != want {
		ts.Fatalf("exit status %s, and %s is wanted\nstdout:\n%s\nstderr:\n%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// gone checks that no process of this script runs with these words as its command: gone 'sleep 60'.
func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone COMMAND")
	}
	for _, pid := range processes(ts.Getenv("WORK")) {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		words := bytes.ReplaceAll(bytes.TrimRight(cmdline, "\x00"), []byte{0}, []byte{' '})
		if string(words) == args[0] {
			ts.Fatalf("process %d still runs: %s", pid, words)
		}
	}
}

// processes returns the processes of a script by its work directory, on Linux. Elsewhere it returns none.
func processes(work string) []int {
	if runtime.GOOS != "linux" {
		return nil
	}
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && slices.Contains(strings.Split(string(environ), "\x00"), "WORK="+work) {
			out = append(out, pid)
		}
	}
	return out
}

// killAll kills the processes that a script has left. The package testscript interrupts the commands in the background when
// a script fails, and waits for them; a command that waits for what the script would have done next would never end.
func killAll(work string) {
	for range 10 {
		left := processes(work)
		if len(left) == 0 {
			return
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// failing is a test whose failure the test that runs it expects.
type failing struct {
	*testing.T
	failed bool
}

func (f *failing) FailNow()       { f.failed = true; runtime.Goexit() }
func (f *failing) Fatal(a ...any) { f.Log(a...); f.FailNow() }
func (f *failing) Parallel()      {}
func (f *failing) Verbose() bool  { return false }
func (f *failing) Run(_ string, run func(testscript.T)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(f)
	}()
	<-done
}

// TestScriptFails: a script that fails ends its commands in the background, also those that ignore interrupts.
func TestScriptFails(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // killAll needs /proc
	}
	dir := t.TempDir()
	script := `
exec sh -c 'trap "" INT; echo >ready; sleep 600; true' &left&
exec sh -c 'until test -s ready; do sleep 0.01; done; false'
`
	if err := os.WriteFile(filepath.Join(dir, "fails.txtar"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	f, done := &failing{T: t}, make(chan struct{})
	go func() {
		defer close(done)
		testscript.RunT(f, scripts(dir))
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the script has not ended")
	}
	if !f.failed {
		t.Error("the script has not failed")
	}
}
