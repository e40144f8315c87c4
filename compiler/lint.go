package compiler

import (
	"maps"
	"path/filepath"
	"slices"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/compiler/lower"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// keep stores what rules look at, of a project without errors, and removes the warnings that the project ignores.
func (r *Result) keep(checked *model.Project, blocks []*decode.Block, levels lint.Levels) {
	if r.Diags.HasErrors() {
		return
	}
	r.checked = &lint.Project{
		Evaluated: checked.Evaluated, Blocks: blocks, Pipelines: checked.Pipelines, Programs: slices.Concat(r.Programs, r.Called), Stacks: r.Stacks, Kinds: r.kinds, Sources: r.Sources, Levels: levels,
	}
	r.libraries()
	r.Diags = r.checked.Unignored(r.Diags)
}

// libraries finds the libraries whose pipelines the project calls, and separates their sources from the project's.
func (r *Result) libraries() {
	called := calledOfLibraries(r.checked.Pipelines)
	if len(r.imported) > 0 {
		foreign := map[string]bool{}
		for _, w := range r.imported {
			foreign[filepath.Clean(w.Dir)] = true
		}
		r.checked.Sources = within(r.Sources, func(dir string) bool { return !foreign[dir] })
	}
	found := slices.SortedFunc(maps.Keys(called), func(a, b *evaluate.Project) int { return slices.Index(r.imported, a) - slices.Index(r.imported, b) })
	for _, w := range found {
		r.checked.Libraries = append(r.checked.Libraries, &lint.Project{
			Evaluated: w, Blocks: w.Blocks, Pipelines: called[w], Stacks: r.Stacks, Kinds: r.kinds, Levels: r.checked.Levels, Library: true,
			Sources: within(r.Sources, func(dir string) bool { return dir == filepath.Clean(w.Dir) }),
		})
	}
}

// calledOfLibraries returns the pipelines of libraries that other pipelines call, directly or indirectly, by library.
func calledOfLibraries(pipelines []*model.Pipeline) map[*evaluate.Project][]*model.Pipeline {
	out, seen := map[*evaluate.Project][]*model.Pipeline{}, map[*model.Pipeline]bool{}
	for todo := slices.Clone(pipelines); len(todo) > 0; todo = todo[1:] {
		for _, p := range todo[0].Calls {
			if seen[p] {
				continue
			}
			seen[p] = true
			todo = append(todo, p)
			if w := p.Project.Evaluated; w.Root != "" {
				out[w] = append(out[w], p)
			}
		}
	}
	return out
}

// within returns the sources in the directories that in accepts.
func within(sources map[string][]byte, in func(dir string) bool) map[string][]byte {
	out := map[string][]byte{}
	for name, src := range sources {
		if in(filepath.Dir(name)) {
			out[name] = src
		}
	}
	return out
}

// Lint runs the rules on a project without errors, and returns their findings together with the compiler's diagnostics. Of
// a project with errors it returns only the compiler's diagnostics.
func (r *Result) Lint(o lint.Options) lint.Report {
	if r.checked == nil {
		return lint.Report{Diags: r.Diags.Sorted()}
	}
	for _, lib := range r.checked.Libraries {
		lib.Programs = standalone(lib)
	}
	return lint.Run(r.checked, r.Diags.Sorted(), o)
}

// standalone returns the programs that the pipelines of a library compile to by themselves.
func standalone(lib *lint.Project) []*program.Program {
	var out []*program.Program
	for _, p := range lib.Pipelines {
		if prog, _, err := lower.Program(p); err == nil { // it has been compiled as part of the program that calls it
			out = append(out, prog)
		}
	}
	return out
}
