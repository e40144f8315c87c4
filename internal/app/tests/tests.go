// Package tests runs the tests of projects, *.pipec-test.hcl: pipelines whose steps have the results that the tests
// declare. It starts no process and needs no network and no stack.
package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/tests"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/mock"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/schema/record"
)

// Opener opens the project in a directory.
type Opener func(dir string) *project.Project

// Options choose tests.
type Options struct {
	Match func(name string) bool // nil: all tests
	Done  func(*Outcome)         // is called after each test; may be nil
}

// Outcome is the result of one test.
type Outcome struct {
	Name, File string
	Line       int
	Passed     bool
	History    *tests.History // nil if there was no run
	Diags      []diag.Diagnostic
}

// Results are those of all tests that were run.
type Results struct {
	Tests          []*Outcome
	Passed, Failed int
	Left           int               // tests that Match left out
	Diags          []diag.Diagnostic // of the projects, the files of tests, and all tests
	Sources        map[string][]byte
}

// Run runs the tests of the projects of the paths. A path is a project's directory, or a file of tests in it.
func Run(open Opener, paths []string, o Options) (*Results, error) {
	out := &Results{Sources: map[string][]byte{}}
	var dirs []string
	only := map[string][]string{} // the files of tests to run, by directory; nil: all
	for _, path := range paths {
		dir, file, err := project.Target(path)
		if err != nil {
			return nil, err
		}
		files, seen := only[dir]
		if !seen {
			dirs = append(dirs, dir)
		}
		switch {
		case file == "":
			only[dir] = nil
		case !seen || files != nil:
			only[dir] = append(files, file)
		}
	}
	for _, dir := range dirs {
		if err := out.project(open(dir), only[dir], o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// project runs the tests of one project. If only is not nil, it runs those in these files.
func (r *Results) project(p *project.Project, only []string, o Options) error {
	c, err := p.Compile(nil)
	if err != nil {
		return err
	}
	r.add(c.Sources, c.Diags.Sorted())
	if c.Diags.HasErrors() {
		return nil
	}
	set, faults, err := c.Tests()
	if err != nil {
		return fault.Env(err)
	}
	r.add(set.Sources, of(faults.Sorted(), only))
	for _, file := range only {
		if set.Sources[file] == nil && !faults.HasErrors() {
			return fault.Usagef("%s contains no tests: their files are named *.pipec-test.hcl or *.pipec-test.yaml", file)
		}
	}
	for _, t := range set.Tests {
		switch {
		case only != nil && !slices.Contains(only, t.Range.Filename):
		case o.Match != nil && !o.Match(t.Name):
			r.Left++
		default:
			r.run(t, o)
		}
	}
	return nil
}

// of returns the diagnostics of some files, or all of them for nil.
func of(ds []diag.Diagnostic, only []string) []diag.Diagnostic {
	if only == nil {
		return ds
	}
	return slices.DeleteFunc(ds, func(d diag.Diagnostic) bool { return !slices.Contains(only, d.Range.Filename) })
}

func (r *Results) add(sources map[string][]byte, diags []diag.Diagnostic) {
	for name, src := range sources {
		r.Sources[name] = src
	}
	r.Diags = append(r.Diags, diags...)
}

// run runs one test.
func (r *Results) run(t *tests.Test, o Options) {
	history, found := play(t)
	out := &Outcome{
		Name: t.Name, File: filepath.ToSlash(t.Range.Filename), Line: t.Range.Start.Line,
		Passed: !found.HasErrors(), History: history, Diags: found.Sorted(),
	}
	if out.Passed {
		r.Passed++
	} else {
		r.Failed++
	}
	r.Tests = append(r.Tests, out)
	r.Diags = append(r.Diags, out.Diags...)
	if o.Done != nil {
		o.Done(out)
	}
}

// play runs the pipeline of a test, and returns what the test reports.
func play(t *tests.Test) (history *tests.History, found *diag.List) {
	found = &diag.List{}
	defer func() {
		if p := recover(); p != nil {
			found.Add(diag.Internal(t.Range, fmt.Sprintf("running test %q", t.Name), p, false))
		}
	}()
	run, err := started(t)
	if err != nil {
		found.Add(diag.New("test-failed", t.Range, "test %q: the run can't be started", t.Name).WithDetail("%v", err))
		return nil, found
	}
	c := &cast{test: t, run: run, faults: found}
	played, err := mock.Run(t.Program, run, c, mock.Options{CancelAfter: t.CancelAfter})
	if err != nil {
		if !errors.Is(err, errFaulty) {
			found.Add(diag.New("test-failed", t.Range, "test %q: %v", t.Name, err))
		}
		return nil, found
	}
	history = historyOf(run, played)
	found.AddList(t.Check(history))
	return history, found
}

// epoch is when the runs of tests start.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// started is the record of a run as a test starts it.
func started(t *tests.Test) (*record.Run, error) {
	given := map[string]json.RawMessage{}
	for name, data := range t.Params {
		given[name] = data
	}
	for i := range t.Program.Params {
		p := &t.Program.Params[i]
		if given[p.Name] != nil || p.Default != nil || !params.IsArtifact(p) {
			continue
		}
		d, err := tests.Placeholder(p.Name, p.Type)
		if err != nil {
			return nil, err
		}
		if given[p.Name], err = params.Give(&record.Import{Datum: *d, Source: record.FromRun + "test"}); err != nil {
			return nil, err
		}
	}
	filled, err := params.Fill(t.Program, given)
	if err != nil {
		return nil, err
	}
	return &record.Run{
		Version: record.Version, Name: "test", Project: t.Program.Project, Pipeline: t.Program.Pipeline, Namespace: "test", UID: "test",
		Params: filled.Values, Imports: filled.Imports, LastSuccess: t.LastSuccess, CreatedAt: epoch, ScheduledAt: t.ScheduledAt,
	}, nil
}

// errFaulty reports that faults of the test itself have been found.
var errFaulty = errors.New("the test has faults")

// cast is the mock.Cast of a test.
type cast struct {
	test   *tests.Test
	run    *record.Run
	faults *diag.List
}

// Attempt implements mock.Cast.
func (c *cast) Attempt(spec *engine.Spec) (mock.Outcome, error) {
	result, took, faults := c.test.Outcome(&tests.Attempt{
		Step: record.Address(spec.Step), Def: spec.Def, Key: spec.Key, Attempt: spec.Attempt, Inputs: spec.Inputs, Params: c.run.Params,
	})
	if faults.HasErrors() {
		c.faults.AddList(faults)
		return mock.Outcome{}, errFaulty
	}
	return mock.Outcome{Result: result, Took: took}, nil
}

// Cached implements mock.Cast.
func (c *cast) Cached(spec *engine.Spec) bool { return c.test.Cached(record.Address(spec.Step)) }

// Answer implements mock.Cast.
func (c *cast) Answer(step string, _ *record.Ask) (*record.Answer, time.Duration, error) {
	answer, after := c.test.Answer(record.Address(step))
	return answer, after, nil
}

// historyOf is the history as assertions read it.
func historyOf(run *record.Run, played *mock.History) *tests.History {
	out := &tests.History{End: played.End, StartedAt: played.StartedAt, Params: run.Params, Steps: played.Steps}
	seen := map[string]bool{}
	for i := range played.Attempts {
		if step := played.Attempts[i].Step; !seen[step] {
			seen[step] = true
			out.Order = append(out.Order, step)
		}
	}
	return out
}
