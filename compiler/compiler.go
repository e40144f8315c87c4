// Package compiler compiles the source of a project to programs, offline: load > decode > evaluate > check > lower, and >
// bind if the stack is a cluster. It needs no cluster, no network, no Docker and no Python. Its result depends only on the
// source and on the values of the variables.
//
// Each phase is a package with one entry function. Package diag holds the diagnostics that all phases report, format
// formats source, and lint looks for what compiles but is probably a mistake.
package compiler

import (
	"path/filepath"
	"slices"

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
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
)

// Options declare what to compile, and with which values.
type Options struct {
	Dir   string            // the project's directory, as the user named it
	Stack string            // the name of the chosen stack; "" if none was chosen
	Env   []string          // NAME=VALUE; an entry PIPEC_VAR_NAME is the value of a variable
	Vars  []evaluate.Source // of --var and --var-file, in order
	Kinds *kinds.Set        // the known orchestrators and stores; nil: kinds.Builtin()

	// Unsaved holds the texts of an editor that replace files, by path relative to Dir. Files of libraries can be replaced
	// too.
	Unsaved map[string][]byte

	// Outputs returns what the recipe of a stack has made, by the name of the output. It is called for stacks with a recipe.
	// nil: nothing has been made yet.
	Outputs func(stack string) map[string]string

	Reading func(dir string) // is called with the directory of each library before it is read; may be nil

	every bool // see Every
}

// Result is what the compiler returns. If Diags has errors, there are no programs.
type Result struct {
	Project  string
	Programs []*program.Program           // sorted by name
	Called   []*program.Program           // programs of pipelines that exist to be called by others: targets only if they are named
	Places   map[string]program.SourceMap // by the program's name
	Stacks   []*program.Stack             // the declared stacks, sorted by name, including faulty ones
	Stack    *program.Stack               // the chosen stack: by name, the only one, or the implied one; nil if it is not determined
	Sources  map[string][]byte            // by file name, to show diagnostics
	Diags    diag.List
	kinds    *kinds.Set
	root     *language.Block // the table of the language with these kinds
	project  *evaluate.Project
	imported []*evaluate.Project // of libraries
	checked  *lint.Project       // the checked project, which lint rules look at

	together, apart []string   // of Every: the stacks that this result is checked against, and those that are compiled apart
	onStacks        []onStacks // if there are stacks apart: what was found for single stacks, which is not in Diags
}

// Compile compiles a project. Faults in its files are reported in the result. An error is about the directory itself.
func Compile(o Options) (*Result, error) {
	r := &Result{Places: map[string]program.SourceMap{}}
	r.kinds = o.kinds()
	r.root = language.RootWith(r.kinds)
	var err error
	r.guard(func() {
		var source *load.Project
		if source, err = load.Dir(o.Dir, r.root, o.own(), &r.Diags); err == nil {
			r.compile(source, o)
		}
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (o *Options) kinds() *kinds.Set {
	if o.Kinds != nil {
		return o.Kinds
	}
	return kinds.Builtin()
}

// own returns the unsaved texts that replace files of the project itself, and not of a library.
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

// Source compiles one source that is in memory.
func Source(name string, src []byte, o Options) *Result {
	r := &Result{Places: map[string]program.SourceMap{}}
	r.kinds = o.kinds()
	r.root = language.RootWith(r.kinds)
	r.guard(func() { r.compile(load.Bytes(o.Dir, name, src, r.root, &r.Diags), o) })
	return r
}

// guard calls f, a phase of the compiler. A panic of f becomes a diagnostic, and there are no programs then.
func (r *Result) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			r.Diags.Add(diag.Internal(hcl.Range{}, "compiling the project", p, r.sensitive()))
			r.Programs, r.Called, r.checked = nil, nil, nil
		}
	}()
	f()
}

func (r *Result) compile(source *load.Project, o Options) {
	r.Sources = source.Sources
	if r.Diags.HasErrors() {
		return
	}
	blocks := decode.Project(source, &r.Diags)
	decode.Bare(source, blocks, &r.Diags)
	source.Files = nil // the trees are large, and the blocks refer to the parts that are still needed
	w := evaluate.New(o.Dir, blocks, source.Sources, &r.Diags)
	r.project, r.Project = w, w.Name
	r.choose(w, o.Stack)
	if o.every && r.Stack == nil {
		r.divide(w)
	}
	stack := ""
	if r.Stack != nil {
		stack = r.Stack.Name
	}
	w.Give(stack, o.Env, o.Vars)
	levels := lint.Settings(w)
	r.imported = library.Read(w, library.Options{Root: r.root, Sources: source.Sources, Unsaved: o.Unsaved, Reading: o.Reading})
	for _, p := range append([]*evaluate.Project{w}, r.imported...) {
		p.Omit()
	}
	r.Stacks = stacks.Check(w, r.kinds, o.Outputs)
	for _, s := range r.Stacks {
		if r.Stack != nil && s.Name == r.Stack.Name {
			r.Stack = s
		}
	}
	checked := check.Project(w)
	targets := r.targets()
	found := make([]onStacks, len(targets))
	for i, s := range targets {
		var diags diag.List
		bind.Express(checked, s, r.kinds, &diags)
		found[i] = onStacks{[]string{s.Name}, diags.Sorted()}
	}
	for _, lib := range r.imported {
		r.errors(lib)
	}
	if r.failed(found) {
		r.report(found)
		return
	}
	diags := make([]diag.List, len(targets))
	for _, p := range checked.Pipelines {
		prog, places, err := lower.Program(p)
		if err != nil {
			r.Diags.Add(diag.New("evaluation", p.Block.DefRange, "this pipeline can't be compiled: %v", err))
			continue
		}
		r.Places[prog.Pipeline] = places
		paramRules(prog, places, &r.Diags)
		if p.Called() {
			r.Called = append(r.Called, prog) // its steps are bound in the programs that call it
			continue
		}
		r.Programs = append(r.Programs, prog)
		for i, s := range targets {
			if r.kinds.Pods(s) {
				bind.Check(w, prog, places, s, &diags[i])
			}
		}
	}
	for i := range diags {
		found[i].diags = append(found[i].diags, diags[i].Sorted()...)
	}
	r.report(found)
	if r.failed(found) {
		r.Programs, r.Called = nil, nil
	}
	r.keep(checked, blocks, levels)
}

// sensitive reports whether the project or one of its libraries may contain a sensitive value.
func (r *Result) sensitive() bool {
	return slices.ContainsFunc(append(r.imported, r.project), func(w *evaluate.Project) bool { return w != nil && w.Values.Sensitive() })
}

// errors takes over the errors of a library. Its warnings are left to those who work on the library, and so are edits of
// its files.
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

// choose selects the stack: the one with the name, the only one, or the implied one.
func (r *Result) choose(w *evaluate.Project, name string) {
	names, implied := evaluate.Names(w.Stacks), r.kinds.Implied()
	switch {
	case len(names) == 0 && implied != nil && (name == "" || name == implied.Name):
		r.Stack = implied
	case name == "" && len(names) == 1:
		name = names[0]
		fallthrough
	case name != "":
		if w.Stacks[name] == nil {
			d := diag.New("no-stack", hcl.Range{}, "there is no stack %q", name)
			switch {
			case len(names) > 0:
				d = d.WithDetail("Declared stacks: %s.", list(names)).DidYouMean(name, names)
			case implied != nil:
				d = d.WithDetail("The project declares no stack, so its only stack is %q, whose steps are %s.", implied.Name, r.kinds.Orchestrator(implied.Orchestrator.Kind).Doc)
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

// Program returns the program of a pipeline, or nil.
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
