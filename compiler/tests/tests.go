// Package tests reads the tests of a project: *.pipec-test.hcl and *.pipec-test.yaml. It checks them against the compiled
// programs, evaluates the declared results of steps, and evaluates the assertions over what happened.
//
// It runs nothing: package runtime/mock runs a program with the outcomes of a test.
package tests

import (
	"encoding/json"
	"sort"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Test is one `test` block.
type Test struct {
	Name        string
	Range       hcl.Range // of its label
	Program     *program.Program
	Params      map[string]json.RawMessage // the given ones; those of the type of an artifact are left out
	ScheduledAt *time.Time
	CancelAfter time.Duration // 0: never
	LastSuccess []record.LastSuccess

	expressions *expressions
	pipeline    *pipelineTypes
	mocks       map[string]*mock
	answers     map[string]*answer
	asserts     []*assertion
}

// Set is the tests of a project.
type Set struct {
	Tests   []*Test           // by file and position, without those that have faults
	Sources map[string][]byte // the files of the tests, by name
}

// Read reads the tests in the directory of a compiled project, and reports their faults. programs are those of all its
// pipelines.
func Read(w *evaluate.Project, programs []*program.Program, diags *diag.List) (*Set, error) {
	source, err := load.Tests(w.Dir, language.Tests(), diags)
	if err != nil {
		return nil, err
	}
	set := &Set{Sources: source.Sources}
	if diags.HasErrors() {
		return set, nil
	}
	blocks := decode.Project(source, diags)
	names := map[string]*decode.Block{}
	r := reader{project: w, programs: programs, types: map[string]*pipelineTypes{}}
	for _, b := range blocks {
		if !evaluate.Declare(names, b, diags) {
			continue
		}
		found := r.collect(func() {
			if t := r.test(b); t != nil {
				set.Tests = append(set.Tests, t)
			}
		})
		if found.HasErrors() && len(set.Tests) > 0 && set.Tests[len(set.Tests)-1].Name == b.Label {
			set.Tests = set.Tests[:len(set.Tests)-1]
		}
		diags.AddList(found)
	}
	return set, nil
}

// reader reads the tests of one project.
type reader struct {
	project  *evaluate.Project
	programs []*program.Program
	types    map[string]*pipelineTypes
}

// collect returns the faults that f reports to the project.
func (r *reader) collect(f func()) *diag.List { return collect(r.project, f) }

func collect(w *evaluate.Project, f func()) *diag.List {
	list := w.Diags // all parts of the project add to it
	before := *list
	*list = diag.List{}
	defer func() { *list = before }()
	f()
	found := *list
	return &found
}

// test reads a test. It returns nil if it can't be run.
func (r *reader) test(b *decode.Block) *Test {
	p := r.pipeline(b)
	if p == nil {
		return nil
	}
	t := &Test{
		Name: b.Label, Range: b.LabelRange, Program: p, expressions: &expressions{project: r.project},
		mocks: map[string]*mock{}, answers: map[string]*answer{},
	}
	if t.pipeline = r.types[p.Pipeline]; t.pipeline == nil {
		var err error
		if t.pipeline, err = typesOf(p); err != nil {
			r.project.Diags.Add(diag.New("evaluation", b.DefRange, "the program of pipeline %q can't be read: %v", p.Pipeline, err))
			return nil
		}
		r.types[p.Pipeline] = t.pipeline
	}
	r.settings(t, b)
	r.params(t, b)
	for _, n := range b.Blocks {
		switch n.Def.Name {
		case "mock":
			r.mock(t, n)
		case "answer":
			r.answer(t, n)
		case "last_success":
			r.last(t, n)
		case "assert":
			r.assert(t, n)
		}
	}
	r.required(t, b)
	if len(b.All("assert")) == 0 && !b.Tried("assert") {
		r.project.Diags.Add(diag.New("missing", b.DefRange, "test %q asserts nothing", b.Label).
			WithSuggestion("add assert { condition = run.status == \"succeeded\" }"))
	}
	return t
}

// pipeline returns the program that a test runs.
func (r *reader) pipeline(b *decode.Block) *program.Program {
	names := make([]string, len(r.programs))
	for i, p := range r.programs {
		names[i] = p.Pipeline
	}
	sort.Strings(names)
	at, name := b.DefRange, ""
	if e := b.Attr("pipeline"); e != nil {
		var ok bool
		if name, ok = r.project.Attributes.String(b, "pipeline"); !ok {
			return nil
		}
		at = e.Range()
	}
	for _, p := range r.programs {
		if p.Pipeline == name || name == "" && len(r.programs) == 1 {
			return p
		}
	}
	if name == "" {
		r.project.Diags.Add(diag.New("missing", at, "test %q does not name its pipeline", b.Label).
			WithDetail("%s", evaluate.Listed("Declared", names)).WithSuggestion("add `pipeline = \"NAME\"`"))
		return nil
	}
	r.project.Diags.Add(diag.New("unknown-reference", at, "no pipeline is named %q", name).
		WithDetail("%s", evaluate.Listed("Declared", names)).DidYouMean(name, names))
	return nil
}

func (r *reader) settings(t *Test, b *decode.Block) {
	if d, ok := r.project.Attributes.Duration(b, "cancel_after"); ok {
		t.CancelAfter = d
	}
	if text, ok := r.project.Attributes.String(b, "scheduled_at"); ok {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			r.project.Diags.Add(diag.New("invalid-value", b.Attr("scheduled_at").Range(), "%q is not a time such as 2026-01-31T06:00:00Z", text))
			return
		}
		t.ScheduledAt = &at
	}
}

// object returns the parts of an attribute that is an object or a map, by key, with their values.
func (r *reader) object(b *decode.Block, name string) map[string]cty.Value {
	e := b.Attr(name)
	if e == nil {
		return nil
	}
	v, ok := r.project.Constants.Written(e)
	if !ok {
		return nil
	}
	v, _ = types.Apart(v)
	v, part := types.Unmark(v)
	if v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		r.project.Diags.Add(diag.New("type-mismatch", e.Range(), "`%s` must be an object: { NAME = VALUE }", name))
		return nil
	}
	values := v.AsValueMap()
	for key := range values {
		values[key] = part(values[key])
	}
	return values
}
