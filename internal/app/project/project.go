// Package project opens a project for the use cases of internal/app: it compiles the sources, finds the chosen stack and
// the named pipelines, and reads the lock. It runs nothing, and asks no cluster.
package project

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/schema/program"
)

// stackFile keeps the stack that Use chose, relative to the project.
var stackFile = filepath.Join(".pipec", "stack")

// maxStackFile is how much of stackFile is read.
const maxStackFile = 256

// Options configure how a project is compiled, and where notices go. The zero value is usable.
type Options struct {
	Stack   string            // the name of the stack; "": PIPEC_STACK, then the choice of Use
	Tables  Tables            // the known kinds of orchestrators and stores, and emit targets
	Vars    []evaluate.Source // values of variables, the later before the earlier
	Env     []string          // NAME=VALUE: what variables, steps and clients of clusters find in the environment
	Version string            // of pipec, for what records it: saved plans, requests to registries
	// Executable returns the path of pipec's binary, beside which the agent's image is. nil: there is none.
	Executable func() (string, error)
	// Notify is called with what the use cases report. nil: notices are discarded.
	Notify notice.Observer
	// Reading is called with each directory before its sources are read, also concurrently. May be nil.
	Reading func(dir string)
}

// Project is the directory of a project. It is safe for concurrent use.
type Project struct {
	dir string
	o   Options
}

// New returns the project in dir. Nothing is read yet.
func New(dir string, o Options) *Project {
	o.Tables = o.Tables.Filled()
	return &Project{dir: dir, o: o}
}

// Dir is the project's directory, as it was given.
func (p *Project) Dir() string { return p.dir }

// Env is the environment, as NAME=VALUE.
func (p *Project) Env() []string { return p.o.Env }

// Version is that of pipec.
func (p *Project) Version() string { return p.o.Version }

// Executable returns the path of pipec's binary.
func (p *Project) Executable() (string, error) {
	if p.o.Executable == nil {
		return "", errors.New("the path of pipec's binary is not known")
	}
	return p.o.Executable()
}

// Notify notifies the observer.
func (p *Project) Notify(n notice.Notice) {
	if p.o.Notify != nil {
		p.o.Notify(n)
	}
}

// Getenv returns the value of a variable in the project's environment; "" if it is not set.
func (p *Project) Getenv(name string) string {
	for i := len(p.o.Env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(p.o.Env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// Compile compiles the project. Errors and warnings in its files are in the result, and are not sent as notices. The
// texts of unsaved files, by their paths relative to the project, replace those on disk; nil: there are none.
func (p *Project) Compile(unsaved map[string][]byte) (*Compiled, error) {
	return p.compile(p.chosenStack(), unsaved, compiler.Compile)
}

// CompileEvery compiles the project for each of its stacks: the result has no programs if it can't run on one of them. The
// stack of the options, or else PIPEC_STACK, narrows it to one. The choice of Use doesn't, so that the result is the same on
// every machine.
func (p *Project) CompileEvery() (*Compiled, error) {
	stack := p.o.Stack
	if stack == "" {
		stack = p.Getenv("PIPEC_STACK")
	}
	return p.compile(stack, nil, compiler.Every)
}

func (p *Project) compile(stack string, unsaved map[string][]byte, compile func(compiler.Options) (*compiler.Result, error)) (*Compiled, error) {
	o := compiler.Options{
		Dir: p.dir, Stack: stack, Env: p.o.Env, Vars: p.o.Vars, Kinds: p.o.Tables.Kinds, Unsaved: unsaved, Reading: p.o.Reading,
	}
	if p.o.Reading != nil {
		p.o.Reading(p.dir)
	}
	var lockFault error
	o.Outputs = func(stack string) map[string]string {
		lock, err := p.Lock()
		if err != nil {
			lockFault = err
			return nil
		}
		return lock.Recipes[stack].Outputs
	}
	r, err := compile(o)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fault.Usagef("there is no directory %s", p.dir)
	}
	if err != nil {
		return nil, fault.Env(err)
	}
	return &Compiled{Result: r, lockFault: lockFault}, nil
}

// Checked compiles the project and notifies the observer of all errors. They are a fault, which is without
// a message since the observer has them.
func (p *Project) Checked() (*Compiled, error) {
	c, err := p.Compile(nil)
	if err != nil {
		return nil, err
	}
	return c, p.Report(c)
}

// ForStack compiles the project for a use case that needs the chosen stack and no pipeline, such as reading the records of
// runs. Errors in pipelines are not a fault there, because a project may be half edited while a run is watched or cancelled;
// and warnings are left to the use cases that need the pipelines.
func (p *Project) ForStack() (*Compiled, error) {
	c, err := p.Compile(nil)
	if err != nil || !c.Diags.HasErrors() {
		return c, err
	}
	if c.Result.Stack != nil && c.Result.Stack.Orchestrator.Kind != "" && c.Result.Stack.ArtifactStore.Path != "" {
		return c, nil
	}
	return nil, p.Report(c)
}

// Report notifies the observer of the errors in the project's files, which are a fault. Warnings are left to `validate` and
// `lint`.
func (p *Project) Report(c *Compiled) error {
	if !c.Diags.HasErrors() {
		return nil
	}
	errors := slices.DeleteFunc(c.Diags.Sorted(), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
	p.Notify(notice.Diagnostics{List: errors, Sources: c.Sources})
	return &fault.Fault{Kind: fault.User, Err: &InvalidError{Errors: c.Diags.Errors()}}
}

// Use makes a stack the choice for this project on this machine.
func (p *Project) Use(stack string) error {
	o := p.o
	o.Stack = stack
	if _, err := New(p.dir, o).ForStack(); err != nil {
		return err
	}
	path := filepath.Join(p.dir, stackFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.Env(err)
	}
	return fault.Env(os.WriteFile(path, []byte(stack+"\n"), 0o644))
}

// chosenStack is the name of the stack that the user chose: by option, environment or Use.
func (p *Project) chosenStack() string {
	if p.o.Stack != "" {
		return p.o.Stack
	}
	if s := p.Getenv("PIPEC_STACK"); s != "" {
		return s
	}
	if p.Getenv("CI") != "" {
		return ""
	}
	f, err := os.Open(filepath.Join(p.dir, stackFile))
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxStackFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// Lock reads the project's lock; an empty one if there is none. A lock that can't be parsed is the user's fault.
func (p *Project) Lock() (*program.Lock, error) {
	lock, err := lockfile.Load(p.dir)
	var bad *lockfile.Error
	if errors.As(err, &bad) {
		return nil, fault.As(fault.User, err)
	}
	return lock, fault.Env(err)
}
