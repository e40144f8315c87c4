package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/orchestrator/machine"
)

// counting is an orchestrator that counts the runs that it starts.
type counting struct {
	orchestrator.Orchestrator
	started func()
}

func (c counting) Start(ctx context.Context, r *orchestrator.StartRequest) (*orchestrator.Outcome, error) {
	c.started()
	return c.Orchestrator.Start(ctx, r)
}

// TestOrchestratorOfTable runs the shell example through the whole command line with a row of the test's own: no command
// reaches a driver but by the table. The row has the kind "local", so its steps and its store are those of this machine; TestKindsOfTables adds kinds.
func TestOrchestratorOfTable(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/shell")); err != nil {
		t.Fatal(err)
	}
	starts := 0
	table := orchestrator.Table{{
		Kind: "local", Check: machine.Check,
		Open: func(s *orchestrator.Stack) orchestrator.Orchestrator {
			return counting{machine.Open(s), func() { starts++ }}
		},
	}}
	run := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, talk bytes.Buffer
		c := &cli{terminal: newTerminal(strings.NewReader(""), &out, &talk, os.Getenv), env: os.Environ(), orchestrators: table}
		if got := c.main(t.Context(), append([]string{"-C", dir, "--stack", "local"}, args...)); got != want {
			t.Errorf("pipec %v: exit status %d, expected %d\n%s", args, got, want, talk.String())
		}
		return out.String(), talk.String()
	}
	if out, _ := run(exitOK, "run", "--name", "one"); starts != 1 || !strings.Contains(out, "summary = ") {
		t.Errorf("%d starts, and the output\n%s", starts, out)
	}
	if out, _ := run(exitOK, "logs", "one", "report"); out == "" {
		t.Error("no log")
	}
	run(exitOK, "runs", "one")
	run(exitUser, "cancel", "one")
	run(exitUser, "approve", "one", "join")
	run(exitOK, "rerun", "one")
	run(exitOK, "stack", "check")
	run(exitUsage, "plan")
	table = app.Orchestrators()[1:]
	if _, talk := run(exitUser, "runs"); !strings.Contains(talk, `does not support`) {
		t.Errorf("without its row, the stack is not refused: %s", talk)
	}
}
