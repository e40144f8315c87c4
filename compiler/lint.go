package compiler

import (
	"slices"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lint"
)

// keep remembers what rules look at, of a project without errors, and leaves out the warnings that it ignores.
func (r *Result) keep(w *evaluate.World, blocks []*decode.Block, pipelines []*check.Pipeline, levels lint.Levels) {
	if r.Diags.HasErrors() {
		return
	}
	r.checked = &lint.Project{
		World: w, Blocks: blocks, Pipelines: pipelines, Programs: slices.Concat(r.Programs, r.Called), Stacks: r.Stacks, Sources: r.Sources, Levels: levels,
	}
	r.Diags = r.checked.Unignored(r.Diags)
}

// Lint asks the rules of a project in which there is no error, and gives what they tell with what compiling has told. Of
// another project, it gives that alone.
func (r *Result) Lint(o lint.Options) lint.Report {
	if r.checked == nil {
		return lint.Report{Diags: r.Diags.Sorted()}
	}
	return lint.Run(r.checked, r.Diags.Sorted(), o)
}
