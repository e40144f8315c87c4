//go:build linux

package step_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// whenReady calls a function when its process has written "ready".
func (x *trial) whenReady(then func()) {
	line := x.deps.Line
	once := sync.Once{}
	x.deps.Line = func(l lines.Line) {
		line(l)
		if string(l.Text) == "ready" {
			once.Do(then)
		}
	}
}

// awaitEnd returns when the process has ended, even if it was not reaped.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Skip(err)
	}
	defer unix.Close(fd)
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	x := sh(t, `trap 'echo asked; exit 0' TERM; sleep 1000 & echo "child $!"; echo ready; wait`)
	x.whenReady(cancel)
	r := x.runIn(ctx)
	if r.Status != record.Cancelled || r.Reason != record.ReasonCancelled || r.Class != "" {
		t.Errorf("%+v", r)
	}
	log := x.log(r)
	if !strings.Contains(log, "asked\n") {
		t.Errorf("SIGTERM wasn't passed on: %s", log)
	}
	assertChildGone(t, log)
}

// assertChildGone waits for the end of the process whose ID is in the log, because the kernel may still be executing
// Run's SIGKILL. It hangs if the process continues.
func assertChildGone(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "child "); ok {
			pid, _ := strconv.Atoi(n)
			awaitEnd(t, pid)
			return
		}
	}
	t.Errorf("no child in %q", log)
}

// If the wrapper is killed, its process is killed too, and nothing is committed.
func TestKilledWrapper(t *testing.T) {
	if os.Getenv("STEP_TEST_KILLED") != "" {
		x := newTrial(t, "sleep", "1000")
		x.deps.Started = func(pid int) { fmt.Println("child", pid, x.store.Dir()) }
		x.run()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWrapper$")
	cmd.Env = append(os.Environ(), "STEP_TEST_KILLED=1", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	if _, err := fmt.Fscanf(out, "child %d %s", &pid, &dir); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	awaitEnd(t, pid)
	st, err := store.OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for key, err := range st.List(context.Background(), "", "") {
		t.Errorf("%s is in the store (%v)", key, err)
	}
}

func TestGraceEndsInKill(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	x := sh(t, `trap '' TERM; echo ready; while :; do sleep 1000; done`)
	x.spec.Program.Grace = program.Duration(50 * time.Millisecond)
	x.whenReady(cancel)
	r := x.runIn(ctx)
	if r.Status != record.Cancelled || r.Signal != "SIGKILL" {
		t.Errorf("%+v", r)
	}
}

func TestShutdownFromOutside(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{`trap 'echo 1 > "$PIPEC_OUTPUTS/n"; echo x > "$PIPEC_OUTPUTS/f"; exit 0' TERM; echo ready; sleep 1000 & wait`, ""},
		{`trap 'exit 0' TERM; echo ready; sleep 1000 & wait`, record.ReasonShutdown},
		{`echo ready; sleep 1000 & wait`, record.ReasonShutdown},
		{`trap 'exit 1' TERM; echo ready; sleep 1000 & wait`, record.ReasonShutdown},
	} {
		ctx, cancel := context.WithCancelCause(context.Background())
		x := sh(t, c.script).outputs("f", "file", "n", "number")
		x.whenReady(func() { cancel(step.ErrShutdown) })
		r := x.runIn(ctx)
		switch {
		case c.want == "":
			if r.Status != record.Succeeded || len(r.Outputs) != 2 || !r.ToldToStop {
				t.Errorf("%s: %+v", c.script, r)
			}
		case r.Status != record.Failed || r.Class != record.ClassInfrastructure || r.Reason != c.want:
			t.Errorf("%s: %+v", c.script, r)
		}
	}
}

func TestTimeout(t *testing.T) {
	x := sh(t, `trap 'exit 0' TERM; sleep 1000 & wait`)
	x.spec.Program.Timeout = program.Duration(20 * time.Millisecond)
	r := x.run()
	if r.Status != record.TimedOut || r.Class != record.ClassUser || r.Reason != record.ReasonTimeout || !strings.Contains(r.Message, "20ms") {
		t.Errorf("%+v", r)
	}
}

// A child that outlives the step and keeps its output open must neither block the wrapper nor remain.
func TestLeftovers(t *testing.T) {
	x := sh(t, `sleep 1000 & echo "child $!"`)
	log := x.log(x.succeeds())
	assertChildGone(t, log)
	if _, err := os.Stat("/usr/bin/setsid"); err != nil {
		return
	}
	x = sh(t, `setsid sleep 5 & echo done`) // it left the group, and has the pipe
	if log := x.log(x.succeeds()); log != "done\n" {
		t.Errorf("%q", log)
	}
}
