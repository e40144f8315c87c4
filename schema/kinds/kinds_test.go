package kinds_test

import (
	"testing"

	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

func TestBuiltin(t *testing.T) {
	set := kinds.Builtin()
	if err := set.Check(); err != nil {
		t.Error(err)
	}
	stack := set.Implied()
	if stack == nil || stack.Orchestrator.Kind != "local" || set.Pods(stack) || set.Describe(stack) != "local" {
		t.Errorf("the implied stack is %+v", stack)
	}
	stack = &program.Stack{Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: "ml"}}
	if !set.Pods(stack) || set.Describe(stack) != "kubernetes (ml)" {
		t.Errorf("got %v, %q", set.Pods(stack), set.Describe(stack))
	}
	if set.Pods(&program.Stack{Orchestrator: program.Orchestrator{Kind: "nothing"}}) || set.Store("nothing") != nil {
		t.Error("a kind that isn't in the table was found")
	}
}

// TestCheck breaks each rule of a table once.
func TestCheck(t *testing.T) {
	orchestrator := func(kind, doc string, a ...kinds.Attribute) *kinds.Orchestrator {
		return &kinds.Orchestrator{Kind: kind, Doc: doc, Attributes: a}
	}
	store := func(a ...kinds.Attribute) *kinds.Store {
		return &kinds.Store{Kind: "s", PathDoc: "a place", Example: "s://x", Attributes: a}
	}
	shared := kinds.Attribute{Name: "a", Type: "string"}
	other := kinds.Attribute{Name: "a", Type: "bool"}
	for name, c := range map[string]struct {
		set  kinds.Set
		good bool
	}{
		"shared":          {kinds.Set{Orchestrators: []*kinds.Orchestrator{orchestrator("a", "doc", shared), orchestrator("b", "doc", shared)}}, true},
		"different":       {kinds.Set{Orchestrators: []*kinds.Orchestrator{orchestrator("a", "doc", shared), orchestrator("b", "doc", other)}}, false},
		"twice":           {kinds.Set{Orchestrators: []*kinds.Orchestrator{orchestrator("a", "doc"), orchestrator("a", "doc")}}, false},
		"without a doc":   {kinds.Set{Orchestrators: []*kinds.Orchestrator{orchestrator("a", "")}}, false},
		"store":           {kinds.Set{Stores: []*kinds.Store{store(shared)}}, true},
		"store twice":     {kinds.Set{Stores: []*kinds.Store{store(), store()}}, false},
		"path once more":  {kinds.Set{Stores: []*kinds.Store{store(kinds.Attribute{Name: "path", Type: "string"})}}, false},
		"store, two docs": {kinds.Set{Stores: []*kinds.Store{{Kind: "s", PathDoc: "a place"}}}, false},
	} {
		if err := c.set.Check(); (err == nil) != c.good {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		kinds.Builtin()
	}
}
