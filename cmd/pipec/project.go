package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// stackFile is where `pipec stack use` keeps its choice, relative to the project.
var stackFile = filepath.Join(".pipec", "stack")

// compile compiles the project of the flags. What is wrong in its files is in the result.
func (a *app) compile(dir string) (*compiler.Result, error) { return a.compileUnsaved(dir, nil) }

// compileUnsaved compiles with texts of an editor in the place of files.
func (a *app) compileUnsaved(dir string, unsaved map[string][]byte) (*compiler.Result, error) {
	size := sourceSize(dir)
	debug.SetMemoryLimit(memoryLimit(size))
	o := compiler.Options{Dir: dir, Stack: a.chosenStack(dir), Env: a.env, Unsaved: unsaved}
	o.Reading = func(library string) {
		size += sourceSize(library)
		debug.SetMemoryLimit(memoryLimit(size))
	}
	for i := 0; i+1 < len(a.vars); i += 2 {
		if a.vars[i] == "--var" {
			o.Vars = append(o.Vars, evaluate.Source{Flag: a.vars[i+1]})
		} else {
			o.Vars = append(o.Vars, evaluate.Source{File: a.vars[i+1]})
		}
	}
	r, err := compiler.Compile(o)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, usage("there is no directory %s", dir)
	}
	return r, world(err)
}

// mustCompile compiles, tells what is wrong on stderr, and fails where that is an error.
func (a *app) mustCompile() (*compiler.Result, error) {
	r, err := a.compile(a.dir)
	if err != nil {
		return nil, err
	}
	return a.told(r)
}

// told tells what is wrong in a project on stderr, and fails where that is an error.
func (a *app) told(r *compiler.Result) (*compiler.Result, error) {
	if r.Diags.Len() > 0 {
		v := diag.NewView(r.Diags.Sorted(), r.Sources)
		if err := diag.Human(a.stderr, v, a.diagOptions()); err != nil {
			return nil, world(err)
		}
	}
	if r.Diags.HasErrors() {
		return nil, said(exitUser)
	}
	return r, nil
}

// compileStack compiles for a command that needs the chosen stack and no pipeline, such as one that reads what runs have
// left. The project may be half edited while a run is looked at or cancelled: what is wrong in a pipeline doesn't stand
// in the way, and warnings are for the commands that use the pipelines.
func (a *app) compileStack() (*compiler.Result, error) {
	r, err := a.compile(a.dir)
	if err != nil || !r.Diags.HasErrors() {
		return r, err
	}
	if r.Stack != nil && r.Stack.Orchestrator.Kind != "" && r.Stack.ArtifactStore.Path != "" {
		return r, nil
	}
	return a.told(r)
}

func (a *app) diagOptions() diag.Options {
	return diag.Options{Color: a.color(), Width: a.width(), Limit: diag.DefaultLimit}
}

// chosenStack is the stack that the user chose: by flag, environment or `stack use`.
func (a *app) chosenStack(dir string) string {
	if a.stack != "" {
		return a.stack
	}
	if s := a.getenv("PIPEC_STACK"); s != "" {
		return s
	}
	if a.getenv("CI") != "" {
		return ""
	}
	f, err := os.Open(filepath.Join(dir, stackFile))
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// theStack is the stack of a command that needs one.
func theStack(r *compiler.Result) (*program.Stack, error) {
	if r.Stack != nil {
		return r.Stack, nil
	}
	var names []string
	for _, s := range r.Stacks {
		names = append(names, s.Name)
	}
	return nil, usage("several stacks are declared (%s): choose one with --stack, PIPEC_STACK or `pipec stack use`", strings.Join(names, ", "))
}

// thePipeline is the pipeline named, or the only one.
func thePipeline(r *compiler.Result, args []string) (*program.Program, error) {
	if len(args) > 0 {
		if p := r.Program(args[0]); p != nil {
			return p, nil
		}
		hint := ""
		if s := diag.Suggest(args[0], pipelineNames(r)); s != "" {
			hint = fmt.Sprintf("; did you mean %q?", s)
		}
		return nil, usage("no pipeline is named %q%s", args[0], hint)
	}
	switch len(r.Programs) {
	case 1:
		return r.Programs[0], nil
	case 0:
		return nil, usage("the project declares no pipeline")
	}
	return nil, usage("the project has several pipelines (%s): name one", strings.Join(pipelineNames(r), ", "))
}

func pipelineNames(r *compiler.Result) []string {
	var names []string
	for _, p := range r.Programs {
		names = append(names, p.Pipeline)
	}
	return names
}
