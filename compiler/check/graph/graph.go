// Package graph checks what the parts of a checked pipeline mean together: the edges between its steps, rings of steps and of
// calls, volumes that steps mount at the same time, and concurrency groups. It reads the checked model and the decoded
// blocks, evaluates nothing, and adds only the edges to the model.
package graph

import (
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
)

// Checker checks the graphs of the pipelines of a project and of its libraries.
type Checker struct {
	mounts map[*model.Pipeline]map[string]*mount // the claims that each pipeline mounts
}

// New returns a checker for one project with its libraries.
func New() *Checker { return &Checker{mounts: map[*model.Pipeline]map[string]*mount{}} }

// Check adds the edges of a pipeline to its steps, and checks its graph. The pipelines that it calls must have been checked
// before.
func (c *Checker) Check(p *model.Pipeline) {
	diags := p.Project.Evaluated.Diags
	needs(p, diags)
	cycles(p, diags)
	claims(p, c.mounts, diags)
}

// Groups checks the concurrency groups of all pipelines of a project and of its libraries. A group is shared by all of them.
func Groups(pipelines []*model.Pipeline, diags *diag.List) {
	steps := grouped(pipelines)
	if len(steps) == 0 {
		return
	}
	groupLimits(steps, diags)
	nestedGroups(steps, diags)
}
