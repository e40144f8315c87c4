package local_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// counter is a shell script that counts in a file how often it ran.
func (p *project) counter(name string) string {
	return "echo x >>" + filepath.Join(p.dir, name) + "; "
}

func (p *project) ran(name string) int {
	data, _ := os.ReadFile(filepath.Join(p.dir, name))
	return strings.Count(string(data), "x")
}

func TestCache(t *testing.T) {
	p := newProject(t)
	p.o.Program.Steps = []program.Step{
		sh("a", p.counter("a")+`mkdir $PIPEC_OUTPUT_d; echo 1 >$PIPEC_OUTPUT_d/f`, out("d", "directory"), cached),
		sh("b", p.counter("b")+`cat $PIPEC_INPUT_d/f >$PIPEC_OUTPUT_n`, in("d", "directory", "step.a.d"), out("n", "number"), cached),
	}
	first := p.run(t.Context())
	p.want(first, "succeeded: a=succeeded b=succeeded")
	p.want(p.run(t.Context()), "succeeded: a=succeeded/cached b=succeeded/cached")
	if p.ran("a") != 1 || p.ran("b") != 1 {
		t.Errorf("a ran %d times, b %d", p.ran("a"), p.ran("b"))
	}

	// Content that is gone is made again; what depends on it is the same and is not.
	blob := filepath.Join(p.dir, ".pipec/store/blobs/sha256")
	entries, err := os.ReadDir(blob)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if data, _ := os.ReadFile(filepath.Join(blob, e.Name())); string(data) == "1\n" {
			if err := os.Remove(filepath.Join(blob, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded/cached")
	p.want(p.run(t.Context()), "succeeded: a=succeeded/cached b=succeeded/cached")

	// What is too old is made again, and is new then.
	p.o.Program.Steps[0].Cache = &program.Cache{TTL: 1}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded/cached")
	p.o.Program.Steps[0].Cache = &program.Cache{TTL: program.Duration(time.Hour)}
	p.want(p.run(t.Context()), "succeeded: a=succeeded/cached b=succeeded/cached")
	p.o.Program.Steps[0].Cache = &program.Cache{Salt: "other"}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded/cached")
}

// A cache that can't be written does not fail a run, and is reported once.
func TestCacheUnwritable(t *testing.T) {
	p := newProject(t)
	p.o.Program.Steps = []program.Step{
		sh("a", `echo 1 >$PIPEC_OUTPUT_n`, out("n", "number"), cached),
		sh("b", `echo 2 >$PIPEC_OUTPUT_n`, out("n", "number"), cached),
	}
	dir := filepath.Join(p.dir, ".pipec", "store")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cache"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded")
	var warned []record.Event
	for _, e := range p.events {
		if e.Type == record.Warned {
			warned = append(warned, e)
		}
	}
	if len(warned) != 1 || warned[0].Reason != record.ReasonStore || !strings.Contains(warned[0].Text, "not a directory") {
		t.Errorf("%+v", warned)
	}
}

// What a step with instances has done is kept as well.
func TestRerunInstances(t *testing.T) {
	p := newProject(t)
	fixed := filepath.Join(p.dir, "fixed")
	fan := sh("a", p.counter("a")+`echo 7 >$PIPEC_OUTPUT_n`, out("n", "number"))
	fan.ForEach = &program.ForEach{Type: "list(number)", Value: program.Value{Const: []byte("[1,2]")}, MaxInstances: 9}
	part := sh("c", p.counter("c")+"[ $PIPEC_KEY = 0 ] || test -e "+fixed)
	part.ForEach = fan.ForEach
	p.o.Program.Steps = []program.Step{fan, sh("b", p.counter("b")+`test -e `+fixed, in("n", "list(number)", "step.a[*].n")), part}
	p.o.Program.Steps[1].Needs = []program.Need{{Step: "a", Kind: program.NeedOutput}}
	failed := p.run(t.Context())
	p.want(failed, "failed: a=succeeded a[0]=succeeded a[1]=succeeded b=failed/Error c=failed/Error c[0]=succeeded c[1]=failed/Error")
	if err := os.WriteFile(fixed, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	plan, err := local.PlanRerun(t.Context(), p.o, failed.Run, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := local.Rerun(t.Context(), p.o, plan)
	if err != nil {
		t.Fatal(err)
	}
	p.want(res, "succeeded: a=succeeded a[0]=succeeded/kept a[1]=succeeded/kept b=succeeded c=succeeded c[0]=succeeded/kept c[1]=succeeded")
	if got := fmt.Sprint(res.Run.Kept); got != "[a c]" || p.ran("a") != 2 || p.ran("b") != 2 || p.ran("c") != 3 {
		t.Errorf("kept %s; ran a %d, b %d, c %d times", got, p.ran("a"), p.ran("b"), p.ran("c"))
	}
}

func TestRerun(t *testing.T) {
	p := newProject(t)
	fixed := filepath.Join(p.dir, "fixed")
	p.o.Program.Steps = []program.Step{
		sh("a", p.counter("a")+`echo 7 >$PIPEC_OUTPUT_n`, out("n", "number")),
		sh("b", p.counter("b")+`test -e `+fixed, in("n", "number", "step.a.n")),
		sh("c", p.counter("c")+"true", after("b")),
	}
	p.o.Program.Finally = []program.Step{sh("f", p.counter("f")+"true")}
	failed := p.run(t.Context())
	p.want(failed, "failed: a=succeeded b=failed/Error c=skipped/UpstreamFailed f=succeeded")
	if err := os.WriteFile(fixed, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	plan, err := local.PlanRerun(t.Context(), p.o, failed.Run, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(plan.Steps)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[{"step":"a","keep":true},{"step":"b","keep":false,"why":"failed"},{"step":"c","keep":false,"why":"was skipped"},{"step":"f","keep":false,"why":"finally always runs"}]`; string(got) != want {
		t.Errorf("plan: %s", got)
	}
	res, err := local.Rerun(t.Context(), p.o, plan)
	if err != nil {
		t.Fatal(err)
	}
	p.want(res, "succeeded: a=succeeded/kept b=succeeded c=succeeded f=succeeded")
	if res.Run.RerunOf != failed.Run.Name || res.End.Steps[0].Run != failed.Run.Name {
		t.Errorf("%+v", res.Run)
	}
	if p.ran("a") != 1 || p.ran("b") != 2 || p.ran("c") != 1 || p.ran("f") != 2 {
		t.Error("steps ran too often or not often enough")
	}
	if _, err := local.PlanRerun(t.Context(), p.o, res.Run, nil); !refused(err, drive.RefusedEnded) {
		t.Errorf("of a success: %v", err)
	}
}

func TestRetriesAndWhatIsKept(t *testing.T) {
	p := newProject(t, sh("a", `echo "attempt $PIPEC_ATTEMPT" | tee note; cp note "$TMPDIR/note"; test $PIPEC_ATTEMPT = 3`, func(s *program.Step) { s.Retry.Attempts = 3 }))
	res := p.run(t.Context())
	p.want(res, "succeeded: a=succeeded")
	if res.End.Steps[0].Attempts != 3 {
		t.Errorf("%+v", res.End.Steps[0])
	}
	p.o.Program.Steps[0].Retry.Attempts = 2
	res = p.run(t.Context())
	p.want(res, "failed: a=failed/Error")
	places := func() string {
		all, _ := filepath.Glob(filepath.Join(p.dir, ".pipec/work/*/*/*"))
		for i := range all {
			all[i] = strings.TrimPrefix(all[i], filepath.Join(p.dir, ".pipec/work")+"/")
		}
		return strings.Join(all, " ")
	}
	if got, want := places(), res.Run.Name+"/a/2"; got != want {
		t.Errorf("kept: %s, want %s", got, want)
	}
	p.o.Program.Steps[0].Retry.Attempts = 3
	p.run(t.Context())
	if got := places(); got != "" {
		t.Errorf("kept after a success: %s", got)
	}
}

func TestTwoRunsAtOnce(t *testing.T) {
	p := newProject(t)
	p.o.Observe = nil
	for i := range 5 {
		p.o.Program.Steps = append(p.o.Program.Steps, sh(fmt.Sprintf("s%d", i), `head -c 100000 /dev/zero >$PIPEC_OUTPUT_x; echo hi`, out("x", "file"), cached))
	}
	var all sync.WaitGroup
	outcomes := make([]local.Outcome, 4)
	errs := make([]error, 4)
	for i := range outcomes {
		all.Go(func() { outcomes[i], errs[i] = local.Run(t.Context(), p.o) })
	}
	all.Wait()
	for i, o := range outcomes {
		if errs[i] != nil || o.End.Status != record.Succeeded {
			t.Errorf("%v, %+v", errs[i], o.End)
		}
	}
	n := 0
	for s, err := range p.reader().List(t.Context(), "p") {
		if err != nil || s.Status != record.Succeeded {
			t.Errorf("%v %v", s, err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d runs", n)
	}
}

func TestOnly(t *testing.T) {
	p := newProject(t, sh("a", "true"), sh("b", "true", after("a")), sh("c", "true", after("b")), sh("d", "true"))
	p.o.Only = []string{"b"}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded")
}

func TestCodeAndPlacesAreOwn(t *testing.T) {
	p := newProject(t, sh("a", `cat lib.txt; touch made`, func(s *program.Step) { s.Code = "c" }), sh("b", `test ! -e made; test -d "$TMPDIR"`, func(s *program.Step) { s.Code = "c" }, after("a")),
		sh("c", `test -z "$(ls "$PIPEC_INPUTS" "$PIPEC_OUTPUTS" | grep -v :)"; touch "$TMPDIR/left" "$PIPEC_OUTPUTS/left"`, after("b")),
		sh("d", `test ! -e "$TMPDIR/left"; test ! -e "$PIPEC_OUTPUTS/left"; chmod 0700 "$TMPDIR"`, after("c")),
		sh("e", `test "$(stat -c %a "$TMPDIR")" != 700`, after("d")))
	for i := range p.o.Program.Steps {
		p.o.Program.Steps[i].Command[1] = text("-ec")
	}
	if err := os.Mkdir(filepath.Join(p.dir, "src"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "src", "lib.txt"), []byte("lib\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	p.o.Program.Codes = []program.Code{{Name: "c", Dir: "src"}}
	p.want(p.run(t.Context()), "succeeded: a=succeeded b=succeeded c=succeeded d=succeeded e=succeeded")
	if _, err := os.Stat(filepath.Join(p.dir, "src", "made")); err == nil {
		t.Error("a step wrote into the project's code")
	}
}
