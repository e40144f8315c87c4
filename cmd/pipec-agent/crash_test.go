package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/step"
)

// crashRoot is the variable with which a test starts itself as a process that crashes.
const crashRoot = "PIPEC_TEST_CRASH_ROOT"

// A panic of any goroutine of the agent leaves a report in the termination log, which the coordinator reads.
func TestCrash(t *testing.T) {
	if root := os.Getenv(crashRoot); root != "" {
		(&agent{root: root}).reportCrashes()
		go panic("boom")
		select {}
	}
	root := t.TempDir()
	file := filepath.Join(root, terminationLog)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), crashRoot+"="+root)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "panic: boom") {
		t.Fatalf("the process has not crashed: %v\n%s", err, out)
	}
	report, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, message, ok := step.CrashReason(string(report)); !ok || !strings.Contains(message, "internal error of pipec in") {
		t.Errorf("the termination log is %q, %s", report, message)
	}
}
