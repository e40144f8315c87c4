package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutlive: a step can't end its agent with a signal that leaves no report.
func TestOutlive(t *testing.T) {
	agent := filepath.Join(t.TempDir(), "pipec-agent")
	if out, err := exec.Command("go", "build", "-o", agent, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	spec, _ := specFile(t, `for s in HUP QUIT ABRT SEGV BUS FPE ILL TRAP SYS USR1 USR2 ALRM; do kill -$s $PPID; done; echo alive; echo 1 >"$PIPEC_OUTPUT_o"`)
	cmd := exec.Command(agent, "step", "--spec", spec)
	cmd.Env = append(cmd.Environ(), "TOKEN=x")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "alive\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
