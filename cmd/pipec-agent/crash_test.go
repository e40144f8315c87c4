package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// crashRoot is the variable with which a test starts itself as a process that crashes.
const crashRoot = "PIPEC_TEST_CRASH_ROOT"

// root returns a root directory with a termination log, and the path of that file.
func root(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, terminationLog)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// crashing returns a kind of stores, "crash", that never opens one.
func crashing(crash func()) stores.Set {
	return stores.Set{{Kind: "crash", Open: func(context.Context, program.Store, stores.Options) (stores.Store, error) {
		crash()
		return nil, nil
	}}}
}

// A panic of any goroutine of the agent leaves nothing of its text in the termination log, and an exit status that the
// coordinator recognizes.
func TestCrash(t *testing.T) {
	if dir := os.Getenv(crashRoot); dir != "" {
		a := &agent{stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv, root: dir}
		a.stores = crashing(func() { go panic("geheimnis"); select {} })
		os.Exit(a.run(context.Background(), []string{"step"}))
	}
	dir, file := root(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrash$")
	cmd.Env = append(os.Environ(), crashRoot+"="+dir, kube.EnvSpec+`={"store":{"kind":"crash"}}`)
	var exit *exec.ExitError
	out, err := cmd.CombinedOutput()
	if !errors.As(err, &exit) || !strings.Contains(string(out), "panic: geheimnis") {
		t.Fatalf("the process has not crashed: %v\n%s", err, out)
	}
	report, err := os.ReadFile(file)
	if err != nil || len(report) > 0 {
		t.Errorf("the termination log is %q, %v", report, err)
	}
	if reason, _, ok := step.CrashReason(exit.ExitCode(), string(report)); !ok || reason != record.ReasonInternal {
		t.Errorf("exit status %d is no crash", exit.ExitCode())
	}
}

// A panic outside of the attempt is an error of pipec with the function that panicked, without the text of the panic. Its report
// has the seal of the attempt: the coordinator blames the step for one without.
func TestPanic(t *testing.T) {
	dir, file := root(t)
	var stderr bytes.Buffer
	env := map[string]string{kube.EnvSpec: `{"store":{"kind":"crash"}}`, kube.EnvSeal: "key"}
	a := &agent{stdout: &stderr, stderr: &stderr, root: dir, lookup: keys(env).lookup}
	a.stores = crashing(func() { panic("geheimnis") })
	if code := a.run(context.Background(), []string{"step"}); code != exitEnvironment {
		t.Errorf("exit status %d", code)
	}
	report, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	end, ok := step.ParseTermination(string(report))
	if !ok || end.Class != record.ClassUser || end.Reason != record.ReasonInternal || !strings.Contains(end.Message, "internal error of pipec in pipec-agent.TestPanic") {
		t.Errorf("the termination log is %q", report)
	}
	if !record.Sealed("key", record.SealTermination, report) {
		t.Errorf("the termination log %q has no seal", report)
	}
	if text := stderr.String() + string(report); strings.Contains(text, "geheimnis") || !strings.Contains(text, "goroutine") {
		t.Error(text)
	}
}
