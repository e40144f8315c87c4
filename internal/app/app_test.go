package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/check"
	"pipec.dev/pipec/internal/app/definitions"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// write writes a project of one file and returns its directory.
func write(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.pipec.hcl"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// open opens a project as a caller without a terminal does. What it reports is logged.
func open(t *testing.T, dir, stack string) *app.Project {
	return app.Open(dir, app.Options{Options: project.Options{
		Stack: stack, Env: os.Environ(), Notify: func(n notice.Notice) { t.Log(n) },
	}})
}

func runner(t *testing.T, dir, stack string) *app.Runs {
	t.Helper()
	runs, err := open(t, dir, stack).Runner()
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// on returns a Watch that calls do, once and in a goroutine, when an event of a type comes.
func on(typ record.EventType, do func()) func(*program.Program) func(record.Event) {
	var once sync.Once
	return func(*program.Program) func(record.Event) {
		return func(e record.Event) {
			if e.Type == typ {
				once.Do(func() { go do() })
			}
		}
	}
}

// TestShell validates the shell example, runs it and reads what the run has left.
func TestShell(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/shell")); err != nil {
		t.Fatal(err)
	}
	found, err := check.Validate(func(dir string) *project.Project { return open(t, dir, "").Project }, []string{dir})
	if err != nil || len(found.Diags) > 0 || found.Last.Pipelines != 1 || found.Last.Stacks != 2 {
		t.Fatalf("validated: %+v, %v", found, err)
	}
	var events []record.Event
	runs := runner(t, dir, "local")
	out, err := runs.Start(t.Context(), &orchestrator.StartRequest{
		Name: "one", Params: []string{"greeting=Hello"},
		Watch: func(p *program.Program) func(record.Event) {
			if p.Pipeline != "orders" {
				t.Errorf("watched the pipeline %s", p.Pipeline)
			}
			return func(e record.Event) { events = append(events, e) }
		},
	})
	if err != nil || out.Run != "one" || !out.Followed || out.End.Status != record.Succeeded {
		t.Fatalf("run: %+v, %v", out, err)
	}
	if last := events[len(events)-1]; last.Type != record.RunEnded {
		t.Errorf("the last event is %s", last.Type)
	}
	if !slices.ContainsFunc(events, func(e record.Event) bool { return e.Type == record.StepLog && e.Step == "join" }) {
		t.Error("no line of the step join was passed on")
	}
	r, err := runs.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	item, err := r.Item(t.Context(), "", "latest", "summary/summary")
	if err != nil || !strings.Contains(string(item.Value), "HELLO") {
		t.Errorf("the summary is %+v, %v", item, err)
	}
	if _, err := r.Item(t.Context(), "", "one", "nothing/here"); fault.KindOf(err) != fault.Usage {
		t.Errorf("an unknown output: %v", err)
	}
	plan, err := runs.Rerun(t.Context(), &orchestrator.RerunRequest{})
	if err != nil || plan.Nothing == "" || plan.Start != nil {
		t.Errorf("a rerun of a run that succeeded: %+v, %v", plan, err)
	}
}

const sleeper = `
pipeline "p" {
  step "long" { command = ["sleep", "98765"] }
}
`

// TestInterrupt: the first interrupt cancels a run that this process drives.
func TestInterrupt(t *testing.T) {
	in := make(chan interrupt.Interrupt, 2)
	out, err := runner(t, write(t, sleeper), "").Start(t.Context(), &orchestrator.StartRequest{
		Interrupts: in, Watch: on(record.StepStarted, func() { in <- interrupt.Stop }),
	})
	if err != nil || !out.Interrupted || out.End == nil || out.End.Status != record.Cancelled {
		t.Errorf("got %+v, %v", out, err)
	}
}

// TestCancel cancels a run that another caller drives; what has ended can't be cancelled.
func TestCancel(t *testing.T) {
	dir := write(t, sleeper)
	runs, cancelled := runner(t, dir, ""), make(chan error, 1)
	cancel := func() error {
		done, err := runs.Cancel(context.Background(), &orchestrator.CancelRequest{Wait: true})
		if err == nil && done.End.Status != record.Cancelled {
			err = errors.New("the run has " + string(done.End.Status))
		}
		return err
	}
	out, err := runner(t, dir, "").Start(t.Context(), &orchestrator.StartRequest{
		Watch: on(record.StepStarted, func() { cancelled <- cancel() }),
	})
	if err != nil || out.Interrupted || out.End.Status != record.Cancelled {
		t.Errorf("got %+v, %v", out, err)
	}
	if err := <-cancelled; err != nil {
		t.Error(err)
	}
	if err := cancel(); fault.KindOf(err) != fault.User || !strings.Contains(err.Error(), "has ended already") {
		t.Errorf("cancelled twice: %v", err)
	}
}

// TestAnswer answers an approval while the run waits for it.
func TestAnswer(t *testing.T) {
	dir := write(t, `
pipeline "p" {
  step "ok" {
    approval {
      message = "Which stage?"
      type    = string
    }
  }
  step "use" { command = ["echo", step.ok.value] }
}
`)
	answered := make(chan error, 1)
	out, err := runner(t, dir, "").Start(t.Context(), &orchestrator.StartRequest{Watch: on(record.StepAsks, func() {
		runs := runner(t, dir, "")
		_, err := runs.Answer(context.Background(), &orchestrator.AnswerRequest{Step: "ok"})
		if fault.KindOf(err) != fault.Usage {
			t.Errorf("an answer without a value: %v", err)
		}
		_, err = runs.Answer(context.Background(), &orchestrator.AnswerRequest{Step: "ok", Value: "prod", Valued: true})
		answered <- err
	})})
	if err != nil || out.End.Status != record.Succeeded {
		t.Errorf("got %+v, %v", out, err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	var lines []string
	err = runner(t, dir, "").Logs(t.Context(), &orchestrator.LogsRequest{Line: func(e record.Event) error {
		lines = append(lines, e.Step+": "+e.Text)
		return nil
	}})
	if err != nil || !slices.Equal(lines, []string{"use: prod"}) {
		t.Errorf("lines %q, %v", lines, err)
	}
}

// TestFaults: what goes wrong has a kind, and where a caller may want to act on it, a type.
func TestFaults(t *testing.T) {
	one := write(t, sleeper)
	many := write(t, sleeper+`
stack "a" {
  orchestrator "local" {}
  artifact_store "local" { path = "a" }
}
stack "b" {
  orchestrator "local" {}
  artifact_store "local" { path = "b" }
}
`)
	start := func(dir, stack string, r orchestrator.StartRequest) error {
		runs, err := open(t, dir, stack).Runner()
		if err == nil {
			_, err = runs.Start(t.Context(), &r)
		}
		return err
	}
	var (
		none    *project.NoPipelineError
		stacks  *project.ManyStacksError
		invalid *project.InvalidError
	)
	for _, c := range []struct {
		name string
		err  error
		kind fault.Kind
		as   any // nil: no type is promised
	}{
		{"an unknown pipeline", start(one, "", orchestrator.StartRequest{Pipeline: "pp"}), fault.Usage, &none},
		{"several stacks", start(many, "", orchestrator.StartRequest{}), fault.Usage, &stacks},
		{"an unknown stack", start(many, "c", orchestrator.StartRequest{}), fault.User, &invalid},
		{"faulty files", start(write(t, `pipeline "p" { stop "x" {} }`), "", orchestrator.StartRequest{}), fault.User, &invalid},
		{"no directory", start(filepath.Join(one, "nowhere"), "", orchestrator.StartRequest{}), fault.Usage, nil},
		{"an unknown step", start(one, "", orchestrator.StartRequest{Steps: []string{"lung"}}), fault.Usage, nil},
		{"an unknown param", start(one, "", orchestrator.StartRequest{Params: []string{"x=1"}}), fault.Usage, nil},
		{"detached on this machine", start(one, "", orchestrator.StartRequest{Detach: true}), fault.Usage, nil},
		{"the name latest", start(one, "", orchestrator.StartRequest{Name: "latest"}), fault.Usage, nil},
	} {
		if fault.KindOf(c.err) != c.kind || c.as != nil && !errors.As(c.err, c.as) {
			t.Errorf("%s: %v, which is %s", c.name, c.err, fault.KindOf(c.err))
		}
	}
	if none == nil || none.Nearest != "p" || stacks == nil || !slices.Equal(stacks.Names, []string{"a", "b"}) {
		t.Errorf("got %+v and %+v", none, stacks)
	}
	if _, err := open(t, one, "").Definitions().Plan(t.Context(), definitions.PlanRequest{}); fault.KindOf(err) != fault.Usage {
		t.Errorf("a plan for this machine: %v", err)
	}
	runs := runner(t, one, "")
	if _, err := runs.Cancel(t.Context(), &orchestrator.CancelRequest{}); fault.KindOf(err) != fault.Usage {
		t.Errorf("no run to cancel: %v", err)
	}
	if _, err := (orchestrator.Table{}).Row(&program.Stack{Name: "s"}); fault.KindOf(err) != fault.User {
		t.Errorf("an unknown kind: %v", err)
	}
}

// TestUse chooses a stack for later.
func TestUse(t *testing.T) {
	dir := write(t, `
stack "a" {
  orchestrator "local" {}
  artifact_store "local" { path = "a" }
}
stack "b" {
  orchestrator "local" {}
  artifact_store "local" { path = "b" }
}
`)
	p := app.Open(dir, app.Options{})
	if err := p.Use("b"); err != nil {
		t.Fatal(err)
	}
	c, err := p.Compile(nil)
	if err != nil || c.Stack == nil || c.Stack.Name != "b" {
		t.Errorf("got %+v, %v", c, err)
	}
}
