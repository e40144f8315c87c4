// Package check checks a project whose constants have been evaluated, and returns its checked model. It reports everything
// that is wrong, not only the first problem.
//
// The work is divided among packages, and data flows one way through them:
//
//	values     what an expression means: references, types, constants
//	pipelines  the blocks of a pipeline and of its steps, with the help of values
//	pods       what a step sets for its pod
//	graph      the edges between steps, rings, and what can happen at the same time
//	stacks     the `stack` blocks, which no pipeline reads
//
// This package only arranges them: libraries before the project that imports them, and each pipeline after those that it
// calls. The state that all of them share is the evaluated project with its list of diagnostics.
package check

import (
	"pipec.dev/pipec/compiler/check/graph"
	"pipec.dev/pipec/compiler/check/pipelines"
	"pipec.dev/pipec/compiler/check/pods"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// Project checks a project and its libraries, and reports what the project declares and does not use. The diagnostics of each
// library are in its own list.
func Project(project *evaluate.Project) *model.Project {
	w := walk{checked: map[*evaluate.Project]*model.Project{}, graph: graph.New()}
	out := w.project(project)
	graph.Groups(w.pipelines, project.Diags)
	if !project.Diags.HasErrors() { // an invalid expression can hide a use
		project.Unused()
	}
	return out
}

// walk is the traversal of a project and its libraries.
type walk struct {
	checked   map[*evaluate.Project]*model.Project
	graph     *graph.Checker
	pipelines []*model.Pipeline // all that have been checked
}

// project checks a project after the libraries that it imports.
func (w *walk) project(project *evaluate.Project) *model.Project {
	if p := w.checked[project]; p != nil {
		return p
	}
	p := &model.Project{Evaluated: project, Libraries: map[string]*model.Project{}}
	w.checked[project] = p
	for _, name := range evaluate.Names(project.Imports) {
		p.Libraries[name] = w.project(project.Imports[name])
	}
	project.Values.All()
	p.Images, p.Codes = images(project), codes(project)
	for _, b := range graph.CallOrder(project) {
		pl := pipelines.Check(p, b)
		pods.Check(pl)
		w.graph.Check(pl)
		if !project.Diags.HasErrors() {
			pipelines.Unused(pl)
		}
		p.Add(pl)
	}
	w.pipelines = append(w.pipelines, p.Pipelines...)
	p.Sort()
	return p
}
