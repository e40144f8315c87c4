package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/emit"
	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/orchestrator/machine"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// kept is an open store in memory, which outlives the command that closes it.
type kept struct{ *storetest.Memory }

func (kept) Close() error { return nil }

// mock is pipec with rows of this test: an orchestrator and a store of kinds that pipec doesn't have, and a target to write
// for. Its steps run on this machine.
type mock struct {
	t      *testing.T
	dir    string
	store  storetest.Memory
	opened []program.Store // what the store was opened with
	starts []string        // the attribute `width` of each start
}

func newMock(t *testing.T) *mock {
	m := &mock{t: t, dir: t.TempDir()}
	if err := os.CopyFS(m.dir, os.DirFS("../../examples/shell")); err != nil {
		t.Fatal(err)
	}
	m.write("stacks.pipec.hcl", `
pipec { project = "shell" }
variable "debian" { default = "debian:12-slim" }
stack "mock" {
  orchestrator "mock" {
    width = 3
  }
  artifact_store "mem" {
    path = "mem://shell/runs"
    size = "1Gi"
  }
}
stack "local" {
  orchestrator "local" {}
}
`)
	return m
}

func (m *mock) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mock) tables() project.Tables {
	set := kinds.Builtin()
	set.Orchestrators = append(set.Orchestrators, &kinds.Orchestrator{
		Kind: "mock", Doc: "steps of a test", SharedStore: true,
		Attributes: []kinds.Attribute{{Name: "width", Type: "number", Default: "1", Doc: "The width of a test."}},
		Lacks:      []kinds.Lack{{Feature: "step.repeat", Why: "Its graphs have no loops."}},
		Describe:   func(o *program.Orchestrator) string { return "mock, width " + o.Settings["width"] },
	})
	set.Stores = append(set.Stores, &kinds.Store{
		Kind: "mem", Scheme: "mem", PathDoc: "`mem://name`", Example: "mem://NAME",
		Attributes: []kinds.Attribute{{Name: "size", Type: "string", Doc: "The size of a test."}},
	})
	return project.Tables{
		Kinds: set,
		Stores: append(stores.Builtin(), stores.Kind{Kind: "mem", Open: func(_ context.Context, s program.Store, _ stores.Options) (stores.Store, error) {
			m.opened = append(m.opened, s)
			return kept{&m.store}, nil
		}}),
		Targets: append(emit.Builtin(), emit.Target{Name: "mock", Orchestrators: []string{"mock"}, Write: func(ps []*program.Program, o emit.Options) ([]emit.Document, error) {
			text := fmt.Sprintf("%s in %s, width %s\n", ps[0].Pipeline, o.Stack.ArtifactStore.Path, o.Stack.Orchestrator.Settings["width"])
			return []emit.Document{{Name: "mock.txt", Data: []byte(text)}}, nil
		}}),
	}
}

func (m *mock) orchestrators() orchestrator.Table {
	return append(app.Orchestrators(), orchestrator.Row{
		Kind: "mock", Check: machine.Check,
		Open: func(s *orchestrator.Stack) orchestrator.Orchestrator {
			return counting{machine.Open(s), func() { m.starts = append(m.starts, s.Stack.Orchestrator.Settings["width"]) }}
		},
	})
}

// run runs a command. It reports another exit status than the expected one, and each text that neither stdout nor stderr
// contains.
func (m *mock) run(want int, args []string, texts ...string) string {
	m.t.Helper()
	var out, talk bytes.Buffer
	c := &cli{
		terminal: newTerminal(strings.NewReader(""), &out, &talk, os.Getenv), env: append(os.Environ(), "PIPEC_STACK=", "CI="),
		tables: m.tables(), orchestrators: m.orchestrators(),
	}
	if got := c.main(m.t.Context(), append([]string{"-C", m.dir}, args...)); got != want {
		m.t.Errorf("pipec %q: exit status %d, expected %d\n%s%s", args, got, want, &out, &talk)
	}
	for _, text := range texts {
		if !strings.Contains(out.String(), text) && !strings.Contains(talk.String(), text) {
			m.t.Errorf("pipec %q prints no %q:\n%s%s", args, text, &out, &talk)
		}
	}
	return out.String()
}

func words(text string) []string { return strings.Fields(text) }

// TestKindsOfTables uses an orchestrator, a store and a target that only this test has, by all commands: adding one takes
// rows of tables, and no change of other code.
func TestKindsOfTables(t *testing.T) {
	m := newMock(t)
	m.run(exitOK, words("validate"), "1 pipeline, 6 steps, 2 stacks")
	m.run(exitOK, words("lint --level unused-ignore=off"), "Nothing found")
	m.run(exitOK, words("stack list"), "mock, width 3", "mem://shell/runs")
	m.run(exitOK, words("stack use mock"))
	m.run(exitOK, words("stack show"), `"kind": "mock"`, `"size": "1Gi"`)
	m.run(exitOK, words("stack check"), "✓ artifact store")
	m.run(exitOK, words("run --name one"), "summary = ")
	m.run(exitOK, words("run --name two --param audit_from=5"), "finding = ")
	m.run(exitOK, words("runs"), "one", "two")
	m.run(exitOK, words("runs one"), "join")
	m.run(exitOK, words("logs one report"), "succeeded")
	m.run(exitOK, words("artifacts one"), "europe/orders")
	got := filepath.Join(t.TempDir(), "orders")
	m.run(exitOK, append(words("artifacts get one europe/orders --to"), got))
	if data, err := os.ReadFile(got); err != nil || len(data) == 0 {
		t.Errorf("the artifact is %q, %v", data, err)
	}
	m.run(exitUser, words("cancel one"), "has ended already")
	m.run(exitUser, words("approve one join"))
	m.write("fails.pipec.hcl", `pipeline "fails" {
  step "a" { command = ["sh", "-c", "test -e `+filepath.ToSlash(m.dir)+`/marker"] }
}
`)
	m.run(exitUser, words("run fails --name three"))
	m.write("marker", "")
	m.run(exitOK, words("rerun three --name four"))
	if fmt.Sprint(m.starts) != "[3 3 3]" {
		t.Errorf("the row has started runs with the widths %v", m.starts)
	}
	for _, s := range m.opened {
		if s.Path != "mem://shell/runs" || s.Settings["size"] != "1Gi" {
			t.Errorf("the store was opened as %+v", s)
		}
	}
	if _, err := os.Stat(filepath.Join(m.dir, ".pipec", "store")); !os.IsNotExist(err) {
		t.Errorf("there is a store in the project's directory: %v", err)
	}
}

// TestDefinitionsOfTables: what a kind of orchestrator has not is refused with the kinds that have it.
func TestDefinitionsOfTables(t *testing.T) {
	m := newMock(t)
	m.run(exitOK, words("emit --stack mock"), "orders in mem://shell/runs, width 3")
	m.run(exitOK, words("emit --stack local --target mock"), "orders in .pipec/store")
	m.run(exitOK, append(words("emit --stack mock --split"), filepath.Join(m.dir, "out")), "1 object written")
	m.run(exitUsage, words("emit --stack mock --target kubernetes"), "runs its steps as steps of a test", `orchestrator "kubernetes"`)
	m.run(exitUsage, words("emit --stack local"), `orchestrator "kubernetes" or "mock" (--stack mock)`)
	m.run(exitUsage, words("emit --target helm"), "one of kubernetes, argo, kubeflow, tekton, mock")
	m.run(exitUsage, words("emit --target argo"), "this version writes kubernetes, mock")
	m.run(exitOK, []string{"__complete", "emit", "--target", ""}, "kubernetes\nmock\n")
	m.run(exitUsage, words("plan --stack mock"), "nothing to plan", `orchestrator "kubernetes"`)
}

// TestLanguageOfTables: the kinds are part of the language in all that reads or writes it.
func TestLanguageOfTables(t *testing.T) {
	m := newMock(t)
	m.run(exitOK, words("schema"), "The width of a test.", "The size of a test.", "steps of a test")
	stacks := filepath.Join(m.dir, "stacks.pipec.hcl")
	m.run(exitOK, []string{"fmt", stacks})
	text := m.run(exitOK, []string{"convert", stacks}, "mock:", "width: 3", "mem:", "size: 1Gi")
	m.write("stacks.pipec.yaml", text)
	if err := os.Remove(stacks); err != nil {
		t.Fatal(err)
	}
	m.run(exitOK, words("stack list"), "mock, width 3")
	m.run(exitOK, []string{"convert", filepath.Join(m.dir, "stacks.pipec.yaml")}, `orchestrator "mock"`, `artifact_store "mem"`)
	m.write("loop.pipec.hcl", `
pipeline "loop" {
  step "a" {
    command = ["true"]
    repeat { max = 2 }
  }
}
`)
	m.run(exitUser, words("validate --stack mock"), "loop.pipec.hcl:5:", "does not support `repeat`", "Its graphs have no loops.")
	m.run(exitOK, words("validate --stack local"))
	m.write("loop.pipec.hcl", `
stack "bad" {
  orchestrator "mock" { widht = 2 }
  artifact_store "mem" { path = "s3://bucket" }
}
stack "private" {
  orchestrator "mock" {}
  artifact_store "local" { path = "here" }
}
`)
	m.run(exitUser, words("validate"), `did you mean "width"?`, `"s3://bucket" is not a path of an artifact store of kind mem`, "a directory of this machine", "help: write artifact_store")
}
