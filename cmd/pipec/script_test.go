package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// TestMain makes this test binary the command pipec as well, for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"pipec": main})
}

// TestScript runs testdata/script: each a project and the commands that a user gives, with what they print.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("CI", "")
			env.Setenv("PIPEC_STACK", "")
			examples, err := filepath.Abs("../../examples")
			env.Setenv("EXAMPLES", examples)
			return err
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": status, "gone": gone},
	})
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
	if runtime.GOOS != "linux" {
		return
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	ts.Check(err)
	for _, dir := range dirs {
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		words := bytes.ReplaceAll(bytes.TrimRight(cmdline, "\x00"), []byte{0}, []byte{' '})
		if string(words) == args[0] && bytes.Contains(environ, []byte(ts.Getenv("WORK"))) {
			ts.Fatalf("process %s still runs: %s", filepath.Base(dir), words)
		}
	}
}
