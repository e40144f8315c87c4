package local_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/runtime/work/groups"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func within(group string, limit int) part {
	return func(s *program.Step) { s.Concurrency = &program.Concurrency{Group: group, Limit: limit} }
}

func skips(s *program.Step) { s.Concurrency.Skip = true }

// counted returns a step that writes to a file when it has started and when it ends.
func (p *project) counted(name string, parts ...part) program.Step {
	file := filepath.Join(p.dir, "count")
	return sh(name, fmt.Sprintf("echo in >>%s; sleep 0.05; echo out >>%s", file, file), parts...)
}

// most returns how many counted steps ran at once, and how many ran in all.
func (p *project) most() (most, all int) {
	data, err := os.ReadFile(filepath.Join(p.dir, "count"))
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(data) {
		if string(line) == "in\n" {
			n++
			all++
		} else {
			n--
		}
		most = max(most, n)
	}
	return most, all
}

// also returns the same project and program for another run, with its own observer.
func (p *project) also(name string) *project {
	q := &project{t: p.t, dir: p.dir, seen: map[string]chan struct{}{}, o: p.o}
	q.o.Name, q.o.Observe = name, q.observe
	return q
}

// waits returns a channel of the events that report what steps wait for.
func (p *project) waits() <-chan record.Event {
	c := make(chan record.Event, 100)
	p.o.Observe = func(e record.Event) {
		p.observe(e)
		if e.Type == record.StepWaiting {
			c <- e
		}
	}
	return c
}

func TestGroupAcrossRuns(t *testing.T) {
	for _, limit := range []int{1, 2} {
		t.Run(fmt.Sprint("limit ", limit), func(t *testing.T) {
			p := newProject(t)
			var steps []program.Step
			for i := range 5 {
				steps = append(steps, p.counted(fmt.Sprintf("s%d", i), within("g", limit)))
			}
			p.o.Program.Steps = steps
			var all sync.WaitGroup
			for i := range 3 {
				q := p.also(fmt.Sprintf("r%d", i))
				all.Go(func() {
					if out, err := local.Run(t.Context(), q.o); err != nil || out.End.Status != record.Succeeded {
						t.Errorf("%+v, %v", out.End, err)
					}
				})
			}
			all.Wait()
			if most, all := p.most(); most > limit || all != 15 {
				t.Errorf("%d were in the group at once, of %d in all", most, all)
			}
		})
	}
}

// holding starts a run in another process whose only step holds the group's slot. The step runs script first.
func holding(t *testing.T, script string) (*project, *child) {
	t.Helper()
	p := newProject(t)
	p.o.Program.Steps = []program.Step{sh("a", script+"echo ready; exec sleep 1000", within("g", 1))}
	c := p.drive(t)
	c.await("ready")
	p.o.Program.Steps = []program.Step{sh("b", "echo in", within("g", 1))}
	return p, c
}

func TestGroupSkip(t *testing.T) {
	p, _ := holding(t, "")
	p.o.Program.Steps = []program.Step{sh("b", "true", within("g", 1), skips), sh("c", "true", after("b")), sh("d", "true", within("h", 1), skips)}
	out := p.run(t.Context())
	p.want(out, "succeeded: b=skipped/GroupBusy c=skipped/UpstreamSkipped d=succeeded")
	if got, want := out.End.Steps[0].Message, "group g is busy: run killed (step a) holds it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGroupCancelledWhileQueued(t *testing.T) {
	p, c := holding(t, "")
	waits := p.waits()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if e := <-waits; e.Step != "b" || e.Text != "a slot in group g: run killed (step a) holds it" {
			t.Errorf("waits for %+v", e)
		}
		cancel()
	}()
	p.want(p.run(ctx), "cancelled: b=skipped/Stopped")
	c.kill()
	p.o.Observe = p.observe
	p.want(p.run(t.Context()), "succeeded: b=succeeded") // no waiter is left that could keep it
}

// TestGroupKilledHolder: a run whose pipec was killed holds its slot as long as one of its processes is alive, even if the
// process has closed the files that it inherited.
func TestGroupKilledHolder(t *testing.T) {
	linuxOnly(t)
	for name, prefix := range map[string]string{"inherited": "unset PIPEC_INPUTS; ", "closed": "exec 3>&-; "} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			pid := filepath.Join(dir, "pid")
			p, c := holding(t, prefix+daemon(pid))
			c.kill()
			if !alive(t, pid) {
				t.Fatal("the process should have outlived its driver")
			}
			skipper := p.also("skipper")
			skipper.o.Program = &program.Program{Version: 1, Pipeline: "p", OnFailure: "continue", MaxParallel: 200, Steps: []program.Step{sh("b", "echo in", within("g", 1), skips)}}
			skipper.want(skipper.run(t.Context()), "succeeded: b=skipped/GroupBusy")
			waits := p.waits()
			in := p.await("in")
			done := make(chan local.Outcome)
			go func() { done <- p.run(t.Context()) }()
			<-waits
			select {
			case <-in:
				t.Fatal("two runs hold the slot")
			default:
			}
			if !alive(t, pid) {
				t.Fatal("the process was ended")
			}
			data, _ := os.ReadFile(pid)
			var n int
			_, _ = fmt.Sscan(string(data), &n)
			if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			p.want(<-done, "succeeded: b=succeeded")
		})
	}
}

// TestGroupResumed: a run that is resumed takes its slots again before it continues, including those of a call.
func TestGroupResumed(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	again := filepath.Join(p.dir, "again")
	call := program.Step{Name: "call", Call: &program.Call{Pipeline: "c"}, Retry: program.Retry{Attempts: 1}}
	within("g", 1)(&call)
	p.o.Program.Steps = []program.Step{call}
	p.o.Program.Called = []program.Called{{Name: "c", OnFailure: "continue", MaxParallel: 10, Steps: []program.Step{
		sh("x", "if [ -e "+again+" ]; then exit 0; fi; echo >"+again+"; echo ready; exec sleep 1000", within("h", 1)),
		p.counted("y", after("x")),
	}}}
	c := p.drive(t)
	c.await("ready")
	c.kill()
	run, err := p.reader().Resolve(t.Context(), "", "killed")
	if err != nil {
		t.Fatal(err)
	}
	holder := p.also("holder")
	release := filepath.Join(p.dir, "release")
	holder.o.Program = &program.Program{Version: 1, Pipeline: "p", OnFailure: "continue", MaxParallel: 200, Steps: []program.Step{
		sh("a", "echo held; while [ ! -e "+release+" ]; do sleep 0.01; done; echo in >>"+p.dir+"/count; sleep 0.1; echo out >>"+p.dir+"/count", within("g", 1)),
	}}
	held := holder.await("held")
	holds := make(chan local.Outcome)
	go func() { holds <- holder.run(t.Context()) }()
	<-held
	waits := p.waits()
	resumed := make(chan local.Outcome)
	go func() {
		out, err := local.Resume(t.Context(), p.o, run)
		if err != nil {
			t.Error(err)
		}
		resumed <- out
	}()
	if e := <-waits; e.Step != "call" || !strings.Contains(e.Text, "run holder (step a) holds it") {
		t.Errorf("it waits for %+v", e)
	}
	if err := os.WriteFile(release, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	holder.want(<-holds, "succeeded: a=succeeded")
	p.want(<-resumed, "succeeded: call=succeeded call.x=succeeded call.y=succeeded")
	if most, all := p.most(); most != 1 || all != 2 {
		t.Errorf("%d at once, of %d", most, all)
	}
}

// logged reports whether the log of a run contains an event of a type.
func (p *project) logged(run *record.Run, typ record.EventType) bool {
	p.t.Helper()
	for s, err := range journal.Read(p.t.Context(), p.reader().Store(), run) {
		if err != nil {
			p.t.Fatal(err)
		}
		if slices.ContainsFunc(s.Events, func(e record.Event) bool { return e.Type == typ }) {
			return true
		}
	}
	return false
}

// TestGroupResumedBeside: an attempt that waits to take its slot again does not block other steps of the run, not even the
// step that it waits for.
func TestGroupResumedBeside(t *testing.T) {
	linuxOnly(t)
	p := newProject(t)
	again, goOn, release := filepath.Join(p.dir, "again"), filepath.Join(p.dir, "go"), filepath.Join(p.dir, "release")
	await := func(file string) string { return "while [ ! -e " + file + " ]; do sleep 0.01; done; " }
	call := program.Step{Name: "call", Call: &program.Call{Pipeline: "c"}, Retry: program.Retry{Attempts: 1}}
	within("g", 1)(&call)
	p.o.Program.Steps = []program.Step{call, sh("w", await(goOn)), sh("z", "echo >"+release, after("w"), within("k", 1))}
	p.o.Program.Called = []program.Called{{Name: "c", OnFailure: "continue", MaxParallel: 10, Steps: []program.Step{
		sh("x", "if [ -e "+again+" ]; then exit 0; fi; echo >"+again+"; echo ready; exec sleep 1000"),
		sh("y", "if [ -e "+again+" ]; then exit 0; fi; exec sleep 1000"),
	}}}
	c := p.drive(t)
	c.await("ready")
	run, err := p.reader().Resolve(t.Context(), "", "killed")
	if err != nil {
		t.Fatal(err)
	}
	if !eventually.Holds(time.Minute, func() bool { return p.logged(run, record.GroupEntered) }) { // written by another process
		t.Fatal("the run does not enter its group")
	}
	c.kill()
	holder := p.also("holder")
	holder.o.Program = &program.Program{Version: 1, Pipeline: "p", OnFailure: "continue", MaxParallel: 200, Steps: []program.Step{
		sh("a", "echo held; "+await(release), within("g", 1)),
	}}
	held := holder.await("held")
	holds := make(chan local.Outcome)
	go func() { holds <- holder.run(t.Context()) }()
	<-held
	waits := p.waits()
	resumed := make(chan local.Outcome)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		out, err := local.Resume(ctx, p.o, run)
		if err != nil {
			t.Error(err)
		}
		resumed <- out
	}()
	if e := <-waits; e.Step != "call" {
		t.Errorf("it waits for %+v", e)
	}
	if err := os.WriteFile(goOn, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p.want(<-resumed, "succeeded: call=succeeded call.x=succeeded call.y=succeeded w=succeeded z=succeeded")
	if err := os.WriteFile(release, nil, 0o666); err != nil { // if step z has not created it
		t.Fatal(err)
	}
	holder.want(<-holds, "succeeded: a=succeeded")
}

// TestGroupUnusable: a group that cannot be entered fails its steps, and no others.
func TestGroupUnusable(t *testing.T) {
	p := newProject(t, sh("a", "true", within("g", 1)), sh("b", "true"))
	if err := os.MkdirAll(filepath.Join(p.dir, ".pipec"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, ".pipec", "groups"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p.want(p.run(t.Context()), "failed: a=failed/GroupUnavailable b=succeeded")
}

// TestGroupLowered: a run whose limit is lower waits until the holders under the higher limit have released their slots.
func TestGroupLowered(t *testing.T) {
	p := newProject(t)
	dir, err := work.In(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	g := groups.Of(dir).Group("g")
	first, _, err := g.Try(2, groups.Holder{Run: "x", Step: "s"})
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	second, _, err := g.Try(2, groups.Holder{Run: "y", Step: "s"})
	if err != nil || second == nil {
		t.Fatal(second, err)
	}
	first.Release()
	if got, holders, err := g.Try(1, groups.Holder{Run: "z", Step: "s"}); got != nil || err != nil || len(holders) != 1 || holders[0].Run != "y" {
		t.Errorf("%v, %v, %v", got, holders, err)
	}
	p.o.Program.Steps = []program.Step{sh("a", "true", within("g", 1))}
	waits := p.waits()
	done := make(chan local.Outcome)
	go func() { done <- p.run(t.Context()) }()
	<-waits
	second.Release()
	p.want(<-done, "succeeded: a=succeeded")
}
