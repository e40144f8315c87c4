package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// project is a project's directory with a stack, and what was seen of its last run.
type project struct {
	t   testing.TB
	dir string
	o   local.Options

	mu     sync.Mutex
	events []record.Event
	seen   map[string]chan struct{} // closed when a line is seen
}

func newProject(t testing.TB, steps ...program.Step) *project {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, dir: dir, seen: map[string]chan struct{}{}}
	p.o = local.Options{
		Project: dir, Environ: os.Environ(), Parallel: 4, Observe: p.observe,
		Stack: &program.Stack{
			Name: "local", Orchestrator: program.Orchestrator{Kind: "local"},
			ArtifactStore: program.Store{Kind: "local", Path: ".pipec/store"},
		},
		Program: &program.Program{Version: 1, Pipeline: "p", OnFailure: "continue", MaxParallel: 200, Steps: steps},
	}
	slices.SortFunc(steps, func(a, b program.Step) int { return strings.Compare(a.Name, b.Name) })
	return p
}

func (p *project) observe(e record.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
	if e.Type == record.StepLog {
		if c := p.seen[e.Text]; c != nil {
			close(c)
			delete(p.seen, e.Text)
		}
	}
}

// await gives a channel that is closed when a step writes the line.
func (p *project) await(line string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan struct{})
	p.seen[line] = c
	return c
}

func (p *project) run(ctx context.Context) local.Outcome {
	p.t.Helper()
	out, err := local.Run(ctx, p.o)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *project) reader() *runs.Reader {
	p.t.Helper()
	w, err := work.In(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := stores.Builtin().Open(p.t.Context(), p.o.Stack.ArtifactStore, stores.Options{Dir: p.dir})
	if err != nil {
		p.t.Fatal(err)
	}
	r := runs.NewReader(s, w, runs.Namespace)
	p.t.Cleanup(func() { _ = r.Close() })
	return r
}

func text(s string) program.Value {
	data, _ := json.Marshal(s)
	return program.Value{Const: data}
}

type part func(*program.Step)

func sh(name, script string, parts ...part) program.Step {
	s := program.Step{
		Name: name, Command: []program.Value{text("sh"), text("-c"), text(script)},
		Retry: program.Retry{Attempts: 1, Infrastructure: 3}, Grace: program.Duration(10 * time.Second),
	}
	for _, p := range parts {
		p(&s)
	}
	return s
}

func out(name, typ string) part {
	return func(s *program.Step) { s.Outputs = append(s.Outputs, program.Output{Name: name, Type: typ}) }
}

func in(name, typ, ref string) part {
	return func(s *program.Step) {
		s.Inputs = append(s.Inputs, program.Input{Name: name, Type: typ, Value: program.Value{Ref: ref}})
		if parts := strings.Split(ref, "."); parts[0] == "step" {
			s.Needs = append(s.Needs, program.Need{Step: parts[1], Kind: program.NeedOutput})
		}
	}
}

func after(names ...string) part {
	return func(s *program.Step) {
		for _, name := range names {
			s.Needs = append(s.Needs, program.Need{Step: name, Kind: program.NeedOrder})
		}
	}
}

func cached(s *program.Step) { s.Cache = &program.Cache{} }

// shape is how the steps of a run ended, in one line.
func shape(end *record.End) string {
	words := []string{string(end.Status) + ":"}
	for _, s := range end.Steps {
		w := s.Name + "=" + string(s.Status)
		if s.Reason != "" {
			w += "/" + s.Reason
		}
		if s.Cached {
			w += "/cached"
		}
		if s.Kept {
			w += "/kept"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func (p *project) want(out local.Outcome, want string) {
	p.t.Helper()
	if got := shape(out.End); got != want {
		p.t.Errorf("got  %s\nwant %s", got, want)
	}
}

// chain is n steps, one after the other.
func chain(n int, command ...string) []program.Step {
	var steps []program.Step
	for i := range n {
		s := program.Step{Name: fmt.Sprintf("s%05d", i), Retry: program.Retry{Attempts: 1}}
		for _, word := range command {
			s.Command = append(s.Command, text(word))
		}
		if i > 0 {
			s.Needs = []program.Need{{Step: fmt.Sprintf("s%05d", i-1), Kind: program.NeedOrder}}
		}
		steps = append(steps, s)
	}
	return steps
}

// TestMain is also the driver that tests kill: it runs the project that the environment names.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PIPEC_TEST_DRIVE"); dir != "" {
		os.Exit(driveChild(dir))
	}
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	p := newProject(t,
		sh("make", `printf 3 >"$PIPEC_OUTPUT_n"; mkdir "$PIPEC_OUTPUT_d"; echo hi >"$PIPEC_OUTPUT_d/f"; echo made`, out("d", "directory"), out("n", "number")),
		sh("use", `cat "$PIPEC_INPUT_n" "$PIPEC_INPUT_d/f"`, in("d", "directory", "step.make.d"), in("n", "number", "step.make.n")),
	)
	p.o.Program.Outputs = []program.Result{{Name: "n", Type: "number", Value: program.Value{Ref: "step.make.n"}}}
	res := p.run(t.Context())
	p.want(res, "succeeded: make=succeeded use=succeeded")
	if len(res.End.Outputs) != 1 || string(res.End.Outputs[0].Value) != "3" {
		t.Errorf("outputs: %+v", res.End.Outputs)
	}
	var kinds []string
	for _, e := range p.events {
		kinds = append(kinds, string(e.Type)+" "+e.Step+e.Text)
	}
	want := []string{
		"run_started ", "step_started make", "log makemade", "attempt_ended make", "step_ended make",
		"step_started use", "log use3", "log usehi", "attempt_ended use", "step_ended use", "run_ended ",
	}
	if !slices.Equal(kinds, want) {
		t.Errorf("got %q", kinds)
	}
	if entries, _ := os.ReadDir(filepath.Join(p.dir, ".pipec", "work")); len(entries) != 0 {
		t.Errorf("left in work: %v", entries)
	}
}
