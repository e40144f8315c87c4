package compiler_test

import (
	"strings"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/kinds"
)

// withMock is pipec's own table and a row of each type that only tests have.
func withMock() *kinds.Set {
	set := kinds.Builtin()
	set.Orchestrators = append(set.Orchestrators, &kinds.Orchestrator{
		Kind: "mock", Doc: "steps of a test", Pods: true, SharedStore: true,
		Attributes: []kinds.Attribute{
			set.Orchestrator("kubernetes").Attribute("namespace"),
			{Name: "project", Type: "string", Doc: "A project."},
			{Name: "width", Type: "number", Default: "1", Doc: "A width."},
			{Name: "patience", Type: "string", Format: "duration", Doc: "A duration."},
		},
		Lacks: []kinds.Lack{
			{Feature: "schedule", Why: "It has no clock."},
			{Feature: "finally"},
			{Feature: "step.for_each", Why: "Its graphs are fixed."},
			{Feature: "step.cache"},
			{Feature: "on_failure"},
		},
	})
	set.Stores = append(set.Stores, &kinds.Store{
		Kind: "mem", Scheme: "mem", PathDoc: "`mem://name`", Example: "mem://NAME",
		Attributes: []kinds.Attribute{{Name: "size", Type: "string", Doc: "A size."}},
	})
	return set
}

const mockStack = `
stack "m" {
  orchestrator "mock" {
    project  = "p1"
    width    = 3
    patience = "90s"
  }
  artifact_store "mem" {
    path = "mem://here/runs"
    size = "1Gi"
  }
}
`

func compileWith(t *testing.T, name, src string) *compiler.Result {
	t.Helper()
	return compiler.Source(name, []byte(src), compiler.Options{Dir: t.TempDir(), Kinds: withMock()})
}

func TestKindsOfATest(t *testing.T) {
	if err := withMock().Check(); err != nil {
		t.Fatal(err)
	}
	const pipeline = `
pipeline "p" {
  on_failure = "continue"
  step "a" {
    image   = "busybox"
    command = ["true"]
    cache   = false
  }
}
`
	for name, src := range map[string]string{
		"x.pipec.hcl": mockStack + pipeline,
		"x.pipec.yaml": `
stack:
  m:
    orchestrator: { mock: { project: p1, width: 3, patience: 90s } }
    artifact_store: { mem: { path: "mem://here/runs", size: 1Gi } }
pipeline:
  p:
    step:
      a: { image: busybox, command: ["true"] }
`} {
		r := compileWith(t, name, src)
		if r.Diags.Len() > 0 || len(r.Programs) != 1 {
			t.Fatalf("%s: %d programs, %+v", name, len(r.Programs), r.Diags.Sorted())
		}
		o, s := r.Stack.Orchestrator, r.Stack.ArtifactStore
		if o.Kind != "mock" || o.Settings["project"] != "p1" || o.Settings["width"] != "3" || o.Settings["patience"] != "1m30s" {
			t.Errorf("%s: the orchestrator is %+v", name, o)
		}
		if s.Kind != "mem" || s.Path != "mem://here/runs" || s.Settings["size"] != "1Gi" {
			t.Errorf("%s: the store is %+v", name, s)
		}
	}
}

// TestLacks: each use of what an orchestrator can't express is reported at its place, in called pipelines too, and only
// for the stack that is chosen.
func TestLacks(t *testing.T) {
	src := mockStack + `
stack "here" {
  orchestrator "local" {}
}
pipeline "p" {
  on_failure = "stop"
  schedule { cron = "0 3 * * *" }
  step "a" {
    image    = "busybox"
    command  = ["true"]
    for_each = ["x", "y"]
    cache    = true
  }
  step "called" { pipeline = pipeline.q }
  finally "f" {
    image   = "busybox"
    command = ["true"]
  }
}
pipeline "q" {
  step "b" {
    image    = "busybox"
    command  = ["true"]
    for_each = ["x"]
  }
}
`
	compile := func(stack string) *compiler.Result {
		return compiler.Source("x.pipec.hcl", []byte(src), compiler.Options{Dir: t.TempDir(), Stack: stack, Kinds: withMock()})
	}
	if r := compile("here"); r.Diags.HasErrors() {
		t.Fatalf("on a stack that lacks nothing: %+v", r.Diags.Sorted())
	}
	r := compile("m")
	lines := strings.Split(src, "\n")
	var got []string
	for _, d := range r.Diags.Sorted() {
		if d.Code != "not-supported" {
			t.Errorf("%s: %s", d.Code, d.Summary)
			continue
		}
		got = append(got, strings.TrimSpace(lines[d.Range.Start.Line-1]))
		if len(d.Related) != 1 || !strings.Contains(d.Summary, "mock") {
			t.Errorf("%+v", d)
		}
	}
	want := []string{
		`on_failure = "stop"`, `schedule { cron = "0 3 * * *" }`, `for_each = ["x", "y"]`, `cache    = true`, `finally "f" {`, `for_each = ["x"]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Programs) != 0 {
		t.Error("there are programs")
	}
}

// TestKindsFaults: the table's own checks have places, and offer the kinds of the table.
func TestKindsFaults(t *testing.T) {
	for name, c := range map[string]struct{ stack, want string }{
		"path":        {`orchestrator "mock" {}` + "\n" + `artifact_store "mem" { path = "s3://x" }`, `"s3://x" is not a path of an artifact store of kind mem`},
		"unreachable": {`orchestrator "mock" {}` + "\n" + `artifact_store "local" { path = "x" }`, `pods can't access a directory of this machine`},
		"no store":    {`orchestrator "mock" {}`, `has no artifact_store`},
		"wrong type":  {`orchestrator "mock" { width = "wide" }` + "\n" + `artifact_store "mem" { path = "mem://x" }`, `number`},
		"another's":   {`orchestrator "local" { namespace = "x" }`, `belongs to orchestrator "kubernetes" or "mock"`},
		"no kind":     {`orchestrator "mok" {}`, `no orchestrator of kind "mok"`},
	} {
		r := compileWith(t, "x.pipec.hcl", "stack \"s\" {\n"+c.stack+"\n}\npipeline \"p\" {\n  step \"a\" {\n    image   = \"i\"\n    command = [\"true\"]\n  }\n}\n")
		found := r.Diags.Sorted()
		if len(found) == 0 || !strings.Contains(found[0].Summary, c.want) || found[0].Range.Start.Line < 1 {
			t.Errorf("%s: got %+v", name, found)
		}
	}
}
