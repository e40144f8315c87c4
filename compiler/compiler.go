// Package compiler turns the source of a project into programs, offline: load > decode > evaluate > check > lower,
// and > bind where the stack is a cluster. It needs no cluster, no network, no Docker and no Python, and what it makes
// depends on the source and the values of the variables alone.
//
// The phases are packages of their own, each with one entry; diag is what they tell, format lays out source, lint looks at
// what compiles and is probably not meant.
package compiler

import (
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/bind"
	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/check/stacks"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/library"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/compiler/lower"
	"pipec.dev/pipec/schema/program"
)

// Options say what to compile and with which values.
type Options struct {
	Dir   string            // the project's directory, as the user named it
	Stack string            // the stack that was chosen; "" where none was
	Env   []string          // NAME=VALUE; those of PIPEC_VAR_NAME are values of variables
	Vars  []evaluate.Source // --var and --var-file, in order

	// Unsaved are texts of an editor that stand for files, by their paths relative to Dir: its own, and those of libraries.
	Unsaved map[string][]byte

	Reading func(dir string) // is told of the directory of each library before that is read; may be nil
}

// Result is what compiling gave. Where Diags has errors, there are no programs.
type Result struct {
	Project  string
	Programs []*program.Program           // sorted by name
	Called   []*program.Program           // of pipelines that are there to be called by others: no targets but by name
	Places   map[string]program.SourceMap // by the program's name
	Stacks   []*program.Stack             // declared, sorted by name; those that are faulty too
	Stack    *program.Stack               // chosen: by name, or the only one, or the implied one; nil where it is open
	Sources  map[string][]byte            // by file name, for showing diagnostics
	Diags    diag.List
	project  *evaluate.Project
	imported []*evaluate.Project // of libraries
	checked  *lint.Project       // what rules look at
}

// Compile compiles a project. What is wrong in its files is in the result; an error is about the directory itself.
func Compile(o Options) (*Result, error) {
	r := &Result{Places: map[string]program.SourceMap{}}
	source, err := load.Dir(o.Dir, o.own(), &r.Diags)
	if err != nil {
		return nil, err
	}
	r.compile(source, o)
	return r, nil
}

// own are the unsaved texts that stand for files of the project itself.
func (o *Options) own() map[string][]byte {
	var out map[string][]byte
	for name, src := range o.Unsaved {
		if filepath.Base(name) == name {
			if out == nil {
				out = map[string][]byte{}
			}
			out[name] = src
		}
	}
	return out
}

// Source compiles one source that stands in memory.
func Source(name string, src []byte, o Options) *Result {
	r := &Result{Places: map[string]program.SourceMap{}}
	r.compile(load.Bytes(o.Dir, name, src, &r.Diags), o)
	return r
}

func (r *Result) compile(source *load.Project, o Options) {
	r.Sources = source.Sources
	if r.Diags.HasErrors() {
		return
	}
	blocks := decode.Project(source, &r.Diags)
	decode.Bare(source, blocks, &r.Diags)
	source.Files = nil // the trees are large; what is needed of them hangs on the blocks
	w := evaluate.New(o.Dir, blocks, source.Sources, &r.Diags)
	r.project, r.Project = w, w.Name
	r.choose(w, o.Stack)
	stack := ""
	if r.Stack != nil {
		stack = r.Stack.Name
	}
	w.Give(stack, o.Env, o.Vars)
	levels := lint.Settings(w)
	r.imported = library.Read(w, library.Options{Sources: source.Sources, Unsaved: o.Unsaved, Reading: o.Reading})
	r.Stacks = stacks.Check(w)
	for _, s := range r.Stacks {
		if r.Stack != nil && s.Name == r.Stack.Name {
			r.Stack = s
		}
	}
	checked := check.Project(w)
	for _, lib := range r.imported {
		r.errors(lib)
	}
	if r.Diags.HasErrors() {
		return
	}
	for _, p := range checked.Pipelines {
		prog, places, err := lower.Program(p)
		if err != nil {
			r.Diags.Add(diag.New("evaluation", p.Block.DefRange, "this pipeline can't be compiled: %v", err))
			continue
		}
		r.Places[prog.Pipeline] = places
		if p.Called() {
			r.Called = append(r.Called, prog) // its steps are bound where it is called
			continue
		}
		r.Programs = append(r.Programs, prog)
		if r.Stack != nil && r.Stack.Orchestrator.Kind == "kubernetes" {
			bind.Check(w, prog, places, r.Stack)
		}
	}
	if r.Diags.HasErrors() {
		r.Programs, r.Called = nil, nil
	}
	r.keep(checked, blocks, levels)
}

// errors takes what is wrong in a library: its warnings are for those who work in it, and its files for them to mend.
func (r *Result) errors(lib *evaluate.Project) {
	if !lib.Diags.HasErrors() {
		return
	}
	for _, d := range lib.Diags.Sorted() {
		if d.Severity != diag.Error {
			continue
		}
		if d.Fix != nil && filepath.Dir(d.Fix.Range.Filename) != filepath.Clean(r.project.Dir) {
			d.Fix = nil
		}
		r.Diags.Add(d)
	}
}

// choose finds the stack: by name, or the only one, or the implied one.
func (r *Result) choose(w *evaluate.Project, name string) {
	names := evaluate.Names(w.Stacks)
	switch {
	case len(names) == 0 && (name == "" || name == "local"):
		r.Stack = stacks.Local()
	case name == "" && len(names) == 1:
		name = names[0]
		fallthrough
	case name != "":
		if w.Stacks[name] == nil {
			d := diag.New("no-stack", hcl.Range{}, "no stack is named %q", name)
			if len(names) == 0 {
				d = d.WithDetail("The project declares none, and so has one of its own: local, this machine.")
			} else {
				d = d.WithDetail("Declared are: %s.", list(names)).DidYouMean(name, names)
			}
			r.Diags.Add(d)
			return
		}
		r.Stack = &program.Stack{Name: name}
	}
}

func list(names []string) string {
	out := names[0]
	for _, n := range names[1:] {
		out += ", " + n
	}
	return out
}

// Program is the program of a pipeline, or nil.
func (r *Result) Program(name string) *program.Program {
	for _, programs := range [][]*program.Program{r.Programs, r.Called} {
		for _, p := range programs {
			if p.Pipeline == name {
				return p
			}
		}
	}
	return nil
}
