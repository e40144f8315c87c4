// Package model is the checked model of a project: the result of package check and the input of packages lower and lint.
// In it every reference has a target, every expression has a type, and every attribute has its effective value.
//
// The model is plain data. It holds no diagnostics and checks nothing. Ranges are reachable through the decoded blocks
// that it points to. Where the program has a plain value type with exactly the meaning needed (program.Duration,
// program.Resources), the model uses that type; all other parts are translated by package lower.
//
// While a project is being checked, each part is filled in by one room of package check and only read by the others. If
// the project has errors, parts of the model may be missing.
package model

import (
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
)

// Project is a checked project, or a checked library.
type Project struct {
	Evaluated *evaluate.Project
	Images    map[string]*Image
	Codes     map[string]*Code
	Pipelines []*Pipeline         // in the order in which they were checked, callees first, until Sort is called
	Libraries map[string]*Project // by the names of the project's `library` blocks

	pipelines map[string]*Pipeline
}

// Add adds a checked pipeline.
func (p *Project) Add(pl *Pipeline) {
	if p.pipelines == nil {
		p.pipelines = map[string]*Pipeline{}
	}
	p.Pipelines = append(p.Pipelines, pl)
	p.pipelines[pl.Block.Label] = pl
}

// Pipeline returns the checked pipeline with a name, or nil.
func (p *Project) Pipeline(name string) *Pipeline { return p.pipelines[name] }

// Sort sorts the pipelines by name.
func (p *Project) Sort() {
	slices.SortFunc(p.Pipelines, func(a, b *Pipeline) int { return strings.Compare(a.Block.Label, b.Block.Label) })
}

// Image is a checked `image` block.
type Image struct {
	Block        *decode.Block
	Base         string
	Dockerfile   string // cleaned, relative to the project's directory, with slashes
	Context      string // as Dockerfile; "": the project's directory
	Args         map[string]string
	Target       string
	Requirements []string
	Packages     []string
	Lock         string // cleaned, relative to the project's directory, with slashes
	IndexURL     string
	ExtraIndexes []string
	FindLinks    []string
	Platforms    []string
}

// Code is a checked `code` block.
type Code struct {
	Block   *decode.Block
	Dir     string // cleaned, relative to the project's directory, with slashes
	Exclude []string
}
