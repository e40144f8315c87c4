package local_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// driveChild is the driver in a process of its own: it prints the output of its steps on stdout.
func driveChild(dir string) int {
	data, err := os.ReadFile(filepath.Join(dir, "program.json"))
	if err != nil {
		return 9
	}
	p, err := program.Decode(data)
	if err != nil {
		return 9
	}
	out, err := local.Run(context.Background(), local.Options{
		Project: dir, Program: p, Name: "killed", Environ: os.Environ(), Parallel: 4,
		Stack: &program.Stack{Name: "local", Orchestrator: program.Orchestrator{Kind: "local"}, ArtifactStore: program.Store{Kind: "local", Path: ".pipec/store"}},
		Observe: func(e record.Event) {
			switch e.Type {
			case record.StepLog:
				fmt.Println(e.Text)
			case record.StepAsks:
				fmt.Println("asks " + e.Step)
			}
		},
	})
	if err != nil || out.End.Status != record.Succeeded {
		return 1
	}
	return 0
}

// child is a driver in another process.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func (p *project) drive(t *testing.T) *child {
	t.Helper()
	data, err := p.o.Program.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "program.json"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PIPEC_TEST_DRIVE="+p.dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, lines: bufio.NewScanner(pipe)}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return c
}

// await reads until a step writes the line.
func (c *child) await(line string) {
	c.t.Helper()
	for c.lines.Scan() {
		if c.lines.Text() == line {
			return
		}
	}
	c.t.Fatalf("the driver ended before %q", line)
}

// kill is kill -9.
func (c *child) kill() {
	c.t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		c.t.Fatal(err)
	}
	_ = c.cmd.Wait()
}

// alive reports whether the process whose number the file holds still runs.
func alive(t *testing.T, file string) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(data)) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return rest[0] != 'Z' && rest[0] != 'X'
}

func linuxOnly(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are found by /proc")
	}
}

// daemon is a shell script that leaves a process in a session of its own, with its number in the file.
func daemon(file string) string {
	return `setsid sh -c 'echo $$ >` + file + `.part; mv ` + file + `.part ` + file + `; exec sleep 1000' >/dev/null 2>&1 & ` +
		`while [ ! -e ` + file + ` ]; do sleep 0.01; done; `
}

func TestCancel(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	pid := filepath.Join(p.dir, "pid")
	p.o.Program.Steps = []program.Step{
		sh("a", daemon(pid)+`trap 'echo got TERM; exit 0' TERM; echo ready; while :; do sleep 0.01; done`),
		sh("b", "echo never", after("a")),
	}
	p.o.Program.Finally = []program.Step{sh("f", "echo cleaning")}
	ctx, cancel := context.WithCancel(t.Context())
	ready, term, cleaning := p.await("ready"), p.await("got TERM"), p.await("cleaning")
	go func() {
		<-ready
		cancel()
	}()
	res := p.run(ctx)
	p.want(res, "cancelled: a=cancelled/Cancelled b=skipped/Stopped f=succeeded")
	<-term
	<-cleaning
	if alive(t, pid) {
		t.Error("a process is left")
	}
}

func TestForce(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	pid := filepath.Join(p.dir, "pid")
	p.o.Program.Steps = []program.Step{
		sh("a", daemon(pid)+`trap '' TERM; echo ready; while :; do sleep 0.01; done`, func(s *program.Step) { s.Grace = program.Duration(time.Hour) }),
	}
	p.o.Program.Finally = []program.Step{sh("f", "echo never")}
	force := make(chan struct{})
	p.o.Force = force
	ready := p.await("ready")
	go func() {
		<-ready
		close(force)
	}()
	p.want(p.run(t.Context()), "cancelled: a=cancelled/Cancelled f=skipped/Stopped")
	if alive(t, pid) {
		t.Error("a process is left")
	}
}

func TestTimeouts(t *testing.T) {
	slow := sh("slow", "sleep 1000", func(s *program.Step) { s.Timeout = program.Duration(50 * time.Millisecond) })
	p := newProject(t, slow, sh("next", "true", after("slow")))
	p.want(p.run(t.Context()), "failed: next=skipped/UpstreamFailed slow=timed_out/Timeout")

	p = newProject(t, sh("slow", "sleep 1000"))
	p.o.Program.Timeout = program.Duration(50 * time.Millisecond)
	p.o.Program.Finally = []program.Step{sh("f", "true")}
	p.want(p.run(t.Context()), "timed_out: slow=cancelled/Cancelled f=succeeded")
}

func TestCancelFromElsewhere(t *testing.T) {
	p := newProject(t, sh("a", "echo ready; exec sleep 1000"))
	c := p.drive(t)
	c.await("ready")
	r := p.reader()
	run, err := r.Resolve(t.Context(), "p", "latest")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := local.Resume(t.Context(), p.o, run); !refused(err, drive.RefusedDriven) {
		t.Errorf("a second driver: %v", err)
	}
	if _, err := local.PlanRerun(t.Context(), p.o, run); !refused(err, drive.RefusedDriven) {
		t.Errorf("a rerun: %v", err)
	}
	end, err := local.Cancel(t.Context(), p.o, run, true)
	if err != nil || end.Status != record.Cancelled {
		t.Fatalf("%v, %+v", err, end)
	}
	if _, err := local.Cancel(t.Context(), p.o, run, true); !refused(err, drive.RefusedEnded) {
		t.Errorf("cancelled twice: %v", err)
	}
}

func refused(err error, code string) bool {
	var r *drive.Refusal
	return errors.As(err, &r) && r.Code == code
}

// killedProject is a run whose driver is killed while its second step runs, with a process of it left.
func killedProject(t *testing.T) (p *project, run *record.Run, pid string) {
	linuxOnly(t)
	p = newProject(t)
	pid = filepath.Join(p.dir, "pid")
	count := func(name string) string { return "echo x >>" + filepath.Join(p.dir, name) + "; " }
	p.o.Program.Steps = []program.Step{
		sh("a", count("a")+`echo data >$PIPEC_OUTPUT_x`, out("x", "file")),
		sh("b", count("b")+`if [ -e `+pid+` ]; then exit 0; fi; `+daemon(pid)+`echo ready; exec sleep 1000`, in("x", "file", "step.a.x")),
		sh("c", count("c")+`cat $PIPEC_INPUT_x`, in("x", "file", "step.a.x"), after("b")),
	}
	c := p.drive(t)
	c.await("ready")
	c.kill()
	if !alive(t, pid) {
		t.Fatal("the process should have outlived its driver")
	}
	run, err := p.reader().Resolve(t.Context(), "", "kil")
	if err != nil {
		t.Fatal(err)
	}
	detail, err := p.reader().Show(t.Context(), run)
	if err != nil || detail.Status != record.Lost {
		t.Fatalf("%v, %+v", err, detail)
	}
	return p, run, pid
}

func TestKilledAndResumed(t *testing.T) {
	p, run, pid := killedProject(t)
	plan, err := local.PlanRerun(t.Context(), p.o, run)
	if err != nil || !plan.Resume {
		t.Fatalf("%v, %+v", err, plan)
	}
	res, err := local.Rerun(t.Context(), p.o, plan)
	if err != nil {
		t.Fatal(err)
	}
	p.want(res, "succeeded: a=succeeded b=succeeded c=succeeded")
	if res.Run.Name != "killed" || res.End.Steps[1].Attempts != 2 {
		t.Errorf("%+v", res.End.Steps[1])
	}
	for name, want := range map[string]string{"a": "x\n", "b": "x\nx\n", "c": "x\n"} {
		if got, _ := os.ReadFile(filepath.Join(p.dir, name)); string(got) != want {
			t.Errorf("step %s ran %q", name, got)
		}
	}
	if alive(t, pid) {
		t.Error("a process is left")
	}
	if _, err := local.PlanRerun(t.Context(), p.o, run); !refused(err, drive.RefusedEnded) {
		t.Errorf("again: %v", err)
	}
}

func TestKilledAndCancelled(t *testing.T) {
	p, run, pid := killedProject(t)
	end, err := local.Cancel(t.Context(), p.o, run, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := shape(end); got != "cancelled: a=succeeded b=cancelled/Cancelled c=skipped/Stopped" {
		t.Error(got)
	}
	if alive(t, pid) {
		t.Error("a process is left")
	}
	detail, err := p.reader().Show(t.Context(), run)
	if err != nil || detail.Status != record.Cancelled {
		t.Errorf("%v, %+v", err, detail)
	}
}

// TestKilledAnywhere kills a driver at many points of a run, and resumes the run each time. Each step is committed once.
func TestKilledAnywhere(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	var steps []program.Step
	for i := range 12 {
		name := fmt.Sprintf("s%02d", i)
		parts := []part{out("n", "number"), func(s *program.Step) { s.Retry.Infrastructure = 100 }}
		script := "echo 0 >$PIPEC_OUTPUT_n; echo " + name
		if i > 1 {
			script = `echo $(($(cat $PIPEC_INPUT_a) + 1)) >$PIPEC_OUTPUT_n; echo ` + name
			parts = append(parts, in("a", "number", fmt.Sprintf("step.s%02d.n", i-2)))
		}
		steps = append(steps, sh(name, script, parts...))
	}
	p.o.Program.Steps = steps
	c := p.drive(t)
	c.await("s01")
	c.kill()
	run, err := p.reader().Resolve(t.Context(), "", "killed")
	if err != nil {
		t.Fatal(err)
	}
	res, err := local.Resume(t.Context(), p.o, run)
	if err != nil {
		t.Fatal(err)
	}
	if res.End.Status != record.Succeeded {
		t.Fatal(shape(res.End))
	}
	for i, s := range res.End.Steps {
		if got := string(s.Outputs[0].Value); got != strconv.Itoa(i/2) {
			t.Errorf("%s = %s", s.Name, got)
		}
	}
}

func TestNamesAndPlaces(t *testing.T) {
	p := newProject(t, sh("a", "true"))
	p.o.Name = "mine"
	p.want(p.run(t.Context()), "succeeded: a=succeeded")
	if _, err := local.Run(t.Context(), p.o); !refused(err, drive.RefusedName) {
		t.Errorf("the same name: %v", err)
	}
	for _, bad := range []string{"../x", "a/b", ".x", "-x", "a b", strings.Repeat("x", 300)} {
		p.o.Name = bad
		if _, err := local.Run(t.Context(), p.o); !refused(err, drive.RefusedName) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestTakenOver: a driver that finds a part of the log written by another stops, and records nothing more.
func TestTakenOver(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	pid := filepath.Join(p.dir, "pid")
	p.o.Program.Steps = []program.Step{sh("a", daemon(pid)+"echo ready; exec sleep 1000")}
	p.o.Name = "r"
	run := &record.Run{Namespace: runs.Namespace, Pipeline: "p", Name: "r"}
	if err := p.reader().Store().Put(t.Context(), run.LogKey(0), strings.NewReader("{}\n"), store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	_, err := local.Run(t.Context(), p.o)
	if !errors.Is(err, journal.ErrTakenOver) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(pid); err == nil && alive(t, pid) {
		t.Error("a process is left")
	}
	if end, err := p.reader().End(t.Context(), run); err != nil || end != nil {
		t.Errorf("%v, %v", end, err)
	}
}

// TestDiskFull: the store is on a small disk that a step fills.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount")
	}
	p := newProject(t, sh("a", `head -c 4000000 /dev/zero >$PIPEC_OUTPUT_x`, out("x", "file")), sh("b", "true"), sh("c", "true", after("a")))
	disk := filepath.Join(p.dir, "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("can't mount:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	p.o.Stack.ArtifactStore.Path = "disk/store"
	p.want(p.run(t.Context()), "failed: a=failed/StoreUnavailable b=succeeded c=skipped/UpstreamFailed")
	entries, err := os.ReadDir(filepath.Join(disk, "store", ".tmp"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left half-written: %v, %v", entries, err)
	}

	// Nothing at all can be written any more.
	p.o.Program.Steps = []program.Step{sh("a", `echo ready; while [ ! -e go ]; do sleep 0.01; done`)}
	ready := p.await("ready")
	go func() {
		<-ready
		fill, err := os.Create(filepath.Join(disk, "fill"))
		if err == nil {
			for err == nil {
				_, err = fill.Write(make([]byte, 4096))
			}
			_ = fill.Close()
		}
		for i := 0; err != nil && i < 10000; i++ { // and no inode without a page
			if err := os.Mkdir(filepath.Join(disk, "d"+strconv.Itoa(i)), 0o777); err != nil {
				break
			}
		}
		_ = os.WriteFile(filepath.Join(p.dir, "go"), nil, 0o666)
	}()
	_, err = local.Run(t.Context(), p.o)
	if err == nil || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
}

// TestManyLines: what a step prints is not held in memory, also while who watches is slow.
func TestManyLines(t *testing.T) {
	p := newProject(t, sh("a", `yes 0123456789012345678901234567890123456789 | head -c 60000000`), sh("b", `yes 0123456789012345678901234567890123456789 | head -c 60000000`))
	lines, peak := 0, uint64(0)
	p.o.Observe = func(e record.Event) {
		if e.Type != record.StepLog {
			return
		}
		if lines++; lines%50_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded")
	if want := 2 * (60000000/41 + 1); lines < want-2 || lines > want {
		t.Errorf("%d lines of %d", lines, want)
	}
	if peak > 60<<20 {
		t.Errorf("%d MB in use", peak>>20)
	}
}

// TestObserverHangs: a run can be cancelled while who watches takes nothing.
func TestObserverHangs(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	pid := filepath.Join(p.dir, "pid")
	p.o.Program.Steps = []program.Step{sh("a", "echo $$ >"+pid+".part; mv "+pid+".part "+pid+"; exec yes")}
	release := make(chan struct{})
	force := make(chan struct{})
	p.o.Force = force
	hanging := make(chan struct{})
	first := true
	p.o.Observe = func(e record.Event) {
		if e.Type == record.StepLog && first {
			first = false
			close(hanging)
			<-release
		}
	}
	go func() {
		<-hanging
		close(force)
		w, err := work.In(p.dir)
		if err == nil {
			names, _ := w.Runs()
			for _, name := range names {
				if run, err := w.Run(name); err == nil {
					// The process ends although its output is not read.
					eventually.Holds(time.Minute, func() bool { return len(run.Steps()) == 0 || !aliveNow(pid) })
				}
			}
		}
		close(release)
	}()
	p.want(p.run(t.Context()), "cancelled: a=cancelled/Cancelled")
}

func aliveNow(file string) bool {
	data, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	return err == nil && syscall.Kill(pid, 0) == nil
}
