// Package check validates and lints projects, or files of projects, and returns the diagnostics. With fixes it changes
// files. It needs no network and no stack, and shows nothing.
package check

import (
	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
)

// Opener opens the project in a directory.
type Opener func(dir string) *project.Project

// Found is what was found in projects.
type Found struct {
	Diags    []diag.Diagnostic
	Sources  map[string][]byte // the files by name, without the secrets that were found in them
	Projects int               // how many were checked
	Last     Summary           // of the project that was checked last
}

// Summary counts what a project declares.
type Summary struct{ Pipelines, Steps, Stacks int }

func summarize(r *compiler.Result) Summary {
	programs := r.Programs
	if len(programs) == 0 {
		programs = r.Called // of a library
	}
	out := Summary{Pipelines: len(programs), Stacks: len(r.Stacks)}
	for _, p := range programs {
		out.Steps += len(p.Steps) + len(p.Finally)
	}
	return out
}

// Validate compiles the projects of the paths, and reads their tests. A path is a project's directory, or a file of it, which limits the
// diagnostics to that file.
func Validate(open Opener, paths []string) (*Found, error) {
	out := &Found{Sources: map[string][]byte{}}
	done := map[string]*project.Compiled{}
	for _, path := range paths {
		dir, only, err := project.Target(path)
		if err != nil {
			return nil, err
		}
		c := done[dir]
		if c == nil {
			if c, err = open(dir).CompileEvery(); err != nil {
				return nil, err
			}
			done[dir] = c
		}
		out.add(c.Sources, c.Diags.Sorted(), only)
		set, faults, err := c.Tests()
		if err != nil {
			return nil, fault.Env(err)
		}
		out.add(set.Sources, faults.Sorted(), only)
		out.Last = summarize(c.Result)
	}
	out.Projects = len(done)
	return out, nil
}

// add adds the diagnostics of a project, or of one file of it.
func (f *Found) add(sources map[string][]byte, diags []diag.Diagnostic, only string) {
	for name, src := range sources {
		f.Sources[name] = src
	}
	for _, d := range diags {
		if only == "" || d.Range.Filename == only {
			f.Diags = append(f.Diags, d)
		}
	}
}
