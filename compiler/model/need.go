package model

import (
	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/schema/program"
)

// Dependency is a step that is named in `depends_on`.
type Dependency struct {
	Step string
	At   hcl.Range
}

// Need is an edge of the graph: a step that another step waits for, and the place in the source that causes it.
type Need struct {
	Step     string
	Instance string // as in program.Need
	Kind     program.NeedKind
	At       hcl.Range
}

// Key identifies the step or the instance that is waited for.
func (n *Need) Key() string {
	if n.Instance == "" {
		return n.Step
	}
	return n.Step + "[" + n.Instance + "]"
}
