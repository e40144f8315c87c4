package runs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func text(s string) program.Value {
	data, _ := json.Marshal(s)
	return program.Value{Const: data}
}

func sh(name, script string, outputs ...program.Output) program.Step {
	return program.Step{
		Name: name, Command: []program.Value{text("sh"), text("-c"), text(script)}, Outputs: outputs,
		Retry: program.Retry{Attempts: 1}, Grace: program.Duration(10 * time.Second),
	}
}

func stack() *program.Stack {
	return &program.Stack{
		Name: "local", Orchestrator: program.Orchestrator{Kind: "local"}, ArtifactStore: program.Store{Kind: "local", Path: ".pipec/store"},
	}
}

func options(dir, pipeline string, steps ...program.Step) local.Options {
	return local.Options{
		Project: dir, Environ: os.Environ(), Stack: stack(), Parallel: 1,
		Program: &program.Program{Version: 1, Pipeline: pipeline, OnFailure: "continue", MaxParallel: 9, Steps: steps},
	}
}

func run(t *testing.T, o local.Options, name string) *record.Run {
	t.Helper()
	o.Name = name
	out, err := local.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return out.Run
}

// reader opens the store of a stack, and returns a reader of its runs.
func reader(t *testing.T, dir string, stack *program.Stack) *runs.Reader {
	t.Helper()
	w, err := work.In(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stores.Builtin().Open(t.Context(), stack.ArtifactStore, stores.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return runs.NewReader(s, w, runs.Namespace)
}

func open(t *testing.T, dir string) *runs.Reader {
	t.Helper()
	r := reader(t, dir, stack())
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestListAndResolve(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	var none *runs.NotFoundError
	if _, err := r.Resolve(t.Context(), "", "latest"); !errors.As(err, &none) {
		t.Errorf("without runs: %v", err)
	}
	good, bad := options(dir, "good", sh("a", "true")), options(dir, "bad-1", sh("a", "false"))
	run(t, good, "g-one")
	run(t, bad, "b-one")
	run(t, good, "g-two")
	var got []string
	for s, err := range r.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.Run.Name+" "+string(s.Status))
	}
	if want := []string{"g-two succeeded", "b-one failed", "g-one succeeded"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for range r.List(t.Context(), "good") {
		break // iteration can stop early
	}
	for _, c := range []struct{ pipeline, name, want string }{
		{"", "latest", "g-two"}, {"", "", "g-two"}, {"bad-1", "latest", "b-one"}, {"", "b", "b-one"}, {"", "g-o", "g-one"},
		{"good", "g-one", "g-one"}, {"", "g", "several runs: g-two, g-one"}, {"bad-1", "g-one", `no run "g-one" of pipeline bad-1`}, {"x", "latest", "no run of pipeline x"},
	} {
		found, err := r.Resolve(t.Context(), c.pipeline, c.name)
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && found.Name != c.want {
			t.Errorf("%q of %q: got %v, %v", c.name, c.pipeline, found, err)
		}
	}
	if names, err := r.Pipelines(t.Context()); err != nil || !slices.Equal(names, []string{"bad-1", "good"}) {
		t.Errorf("%v, %v", names, err)
	}
}

func lines(t *testing.T, r *runs.Reader, rec *record.Run, o runs.LogOptions) []string {
	t.Helper()
	var out []string
	if err := r.Logs(t.Context(), rec, o, func(e record.Event) error {
		out = append(out, fmt.Sprintf("%s/%d | %s", e.Step, e.Attempt, e.Text))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLogs(t *testing.T) {
	dir := t.TempDir()
	flaky := sh("flaky", `echo "try $PIPEC_ATTEMPT"; printf 'no end'; test $PIPEC_ATTEMPT = 2`)
	flaky.Retry.Attempts = 2
	cachedStep := sh("z", `echo made; echo 1 >$PIPEC_OUTPUT_n`, program.Output{Name: "n", Type: "number"})
	cachedStep.Cache = &program.Cache{}
	long := sh("long", `head -c 150000 /dev/zero | tr '\0' x; echo; echo after`)
	o := options(dir, "p", flaky, long, sh("quiet", "true"), cachedStep)
	first, second := run(t, o, "first"), run(t, o, "second")
	r := open(t, dir)
	all := lines(t, r, first, runs.LogOptions{})
	var short []string
	for _, line := range all {
		if len(line) < 100 {
			short = append(short, line)
		}
	}
	want := []string{"flaky/1 | try 1", "flaky/1 | no end", "flaky/2 | try 2", "flaky/2 | no end", "long/1 | after", "z/1 | made"}
	if !slices.Equal(short, want) {
		t.Errorf("got %q", short)
	}
	if len(all) != len(want)+3 {
		t.Errorf("a long line comes in %d pieces", len(all)-len(want))
	}
	if got := lines(t, r, first, runs.LogOptions{Steps: []string{"flaky"}, Attempt: 2}); !slices.Equal(got, []string{"flaky/2 | try 2", "flaky/2 | no end"}) {
		t.Errorf("got %q", got)
	}
	if got := lines(t, r, second, runs.LogOptions{Steps: []string{"z"}}); len(got) != 1 || got[0] != "z/1 | made" {
		t.Errorf("of a cached step: %q", got)
	}
	if got, err := r.LastLines(t.Context(), first, "flaky", 1, 1); err != nil || !slices.Equal(got, []string{"no end"}) {
		t.Errorf("last: %q, %v", got, err)
	}
	var unknown *runs.NoStepError
	if err := r.Logs(t.Context(), first, runs.LogOptions{Steps: []string{"x"}}, nil); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
}

// TestFollow: each line is reported once, during the run and until its end. Steps wait until their lines were seen.
func TestFollow(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	wait := func(name string) string {
		return "while [ ! -e " + filepath.Join(dir, name) + " ]; do sleep 0.01; done; "
	}
	b := sh("b", "echo b1; "+wait("b1")+"echo b2; "+wait("b2"))
	c := sh("c", "echo c1")
	d := sh("d", "echo d1; "+wait("d1"))
	b.Needs = []program.Need{{Step: "a", Kind: program.NeedOrder}}
	c.Needs = []program.Need{{Step: "b", Kind: program.NeedOrder}}
	d.Needs = []program.Need{{Step: "c", Kind: program.NeedOrder}}
	o := options(dir, "p", sh("a", "true"), b, c, d)
	o.Name = "live"
	begun := make(chan struct{})
	o.Observe = func(e record.Event) {
		if e.Type == record.StepLog && e.Text == "b1" {
			close(begun)
		}
	}
	outcome := make(chan error, 1)
	go func() {
		out, err := local.Run(context.Background(), o)
		if err == nil && out.End.Status != record.Succeeded {
			err = errors.New(out.End.Message)
		}
		outcome <- err
	}()
	<-begun
	r := open(t, dir)
	rec, err := r.Resolve(t.Context(), "p", "live")
	if err != nil {
		t.Fatal(err)
	}
	if detail, err := r.Show(t.Context(), rec); err != nil || detail.Status != record.Running {
		t.Errorf("%v, %+v", err, detail)
	}
	var got []string
	if err := r.Logs(t.Context(), rec, runs.LogOptions{Follow: true}, func(e record.Event) error {
		got = append(got, e.Text)
		return os.WriteFile(filepath.Join(dir, e.Text), nil, 0o666)
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got) // c may be reported after d
	if want := []string{"b1", "b2", "c1", "d1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := <-outcome; err != nil {
		t.Fatal(err)
	}
}

func TestArtifactsAndDiff(t *testing.T) {
	dir := t.TempDir()
	make := func(n string) program.Step {
		return sh("make", `echo `+n+` >$PIPEC_OUTPUT_n; echo data >$PIPEC_OUTPUT_f; mkdir $PIPEC_OUTPUT_d; echo `+n+` >$PIPEC_OUTPUT_d/x`,
			program.Output{Name: "d", Type: "directory"}, program.Output{Name: "f", Type: "file"}, program.Output{Name: "n", Type: "number"})
	}
	before := options(dir, "p", make("1"))
	before.Program.Outputs = []program.Result{{Name: "n", Type: "number", Value: program.Value{Ref: "step.make.n"}}}
	after := options(dir, "p", make("2"))
	one, two := run(t, before, "one"), run(t, after, "two")
	r := open(t, dir)
	items, err := r.Artifacts(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for i := range items {
		paths = append(paths, items[i].Path())
	}
	if !slices.Equal(paths, []string{"n", "make/d", "make/f", "make/n"}) {
		t.Fatalf("got %q", paths)
	}
	for path, want := range map[string]string{"make/n": "1\n", "f": "data\n", "n": "1\n"} {
		item, err := runs.Find(items, path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.Print(t.Context(), item, &b); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v", path, b.String(), err)
		}
	}
	d, err := runs.Find(items, "d")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Print(t.Context(), d, &bytes.Buffer{}); err == nil {
		t.Error("a directory was printed")
	}
	to := filepath.Join(dir, "got")
	if err := r.Get(t.Context(), d, to, false); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(to, "x")); string(data) != "1\n" {
		t.Errorf("%q, %v", data, err)
	}
	if err := r.Get(t.Context(), d, to, false); !errors.Is(err, os.ErrExist) {
		t.Errorf("over something: %v", err)
	}
	diff, same, err := r.Diff(t.Context(), one, two)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range diff {
		got = append(got, fmt.Sprint(x.Path, " ", x.Old != nil, " ", x.New != nil))
	}
	if want := []string{"make/d true true", "make/n true true", "n true false"}; !slices.Equal(got, want) || same != 1 {
		t.Errorf("got %q, %d alike", got, same)
	}
}

// TestCompare: a run has no differences to itself, and a difference has the sides that exist.
func TestCompare(t *testing.T) {
	item := rapid.Custom(func(t *rapid.T) runs.Item {
		it := runs.Item{Step: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "step")}
		it.Name, it.Type = rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name"), "any"
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			it.Value = json.RawMessage(rapid.SampledFrom([]string{"1", " 1", "2", `{"a": 1}`, `{"a":1}`}).Draw(t, "value"))
		case 1:
			it.Artifact = &record.Artifact{Digest: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "digest")}
		}
		return it
	})
	list := rapid.SliceOfNDistinct(item, 0, 6, func(i runs.Item) string { return i.Path() })
	rapid.Check(t, func(t *rapid.T) {
		a, b := list.Draw(t, "a"), list.Draw(t, "b")
		if diff, same := runs.Compare(a, a); len(diff) > 0 || same != len(a) {
			t.Fatalf("%v differs from itself: %v", a, diff)
		}
		there, same := runs.Compare(a, b)
		back, alike := runs.Compare(b, a)
		if len(there) != len(back) || same != alike || len(there)+same > len(a)+len(b) {
			t.Fatalf("%v and %v", there, back)
		}
		for _, d := range there {
			if d.Old == nil && d.New == nil {
				t.Fatal("a difference of nothing")
			}
		}
	})
}

// TestTornLog: a log that a loss of power truncated is read as far as possible; the rest is in the results.
func TestTornLog(t *testing.T) {
	dir := t.TempDir()
	rec := run(t, options(dir, "p", sh("a", "true")), "r")
	store := filepath.Join(dir, ".pipec/store")
	path := filepath.Join(store, rec.LogKey(0))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-10], 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(store, rec.EndKey())); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir)
	detail, err := r.Show(t.Context(), rec)
	if err != nil || detail.Status != record.Lost || detail.Steps[0].Status != record.Succeeded {
		t.Fatalf("%v, %+v", err, detail)
	}
	out, err := local.Resume(t.Context(), options(dir, "p"), rec)
	if err != nil || out.End.Status != record.Succeeded || out.End.Steps[0].Attempts != 1 {
		t.Errorf("%v, %+v", err, out.End)
	}
}

func TestWorkNames(t *testing.T) {
	dir, err := work.In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", ".", "..", "a/b", "-a", "a\n"} {
		if _, err := dir.Run(bad); err == nil {
			t.Errorf("%q is a name", bad)
		}
	}
}
