package model

import (
	"slices"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Pipeline is a checked pipeline.
type Pipeline struct {
	Project     *Project // the project or library that declares it
	Block       *decode.Block
	OnFailure   string // continue, stop or abort
	MaxParallel int
	Timeout     program.Duration  // 0: none
	Labels      map[string]string // of the objects that are created for the pipeline
	Schedules   []*Schedule       // sorted by name
	Params      map[string]*Param
	Steps       []*Step     // `step` and `finally` blocks, in source order
	Results     []*Result   // sorted by name
	Calls       []*Pipeline // the pipelines that its steps call, each once, in source order

	// Code, Image and Cache are the defaults of the pipeline's steps.
	Code  string
	Image string
	Cache bool

	// Incomplete reports that some outputs are invalid and therefore missing in Results.
	Incomplete bool

	called bool
	steps  map[string]*Step
}

// Called reports whether the pipeline exists only to be called: another pipeline calls it, and it has no schedule. Such a
// pipeline is a target only if it is named.
func (p *Pipeline) Called() bool { return p.called && p.Block.One("schedule") == nil }

// AddCall records that a step of p calls q.
func (p *Pipeline) AddCall(q *Pipeline) {
	q.called = true
	if !slices.Contains(p.Calls, q) {
		p.Calls = append(p.Calls, q)
	}
}

// AddStep adds a step whose name is not taken.
func (p *Pipeline) AddStep(s *Step) {
	if p.steps == nil {
		p.steps = map[string]*Step{}
	}
	p.Steps = append(p.Steps, s)
	p.steps[s.Name()] = s
}

// Step returns the step with a name, or nil.
func (p *Pipeline) Step(name string) *Step { return p.steps[name] }

// StepNames returns the sorted names of the steps.
func (p *Pipeline) StepNames() []string { return evaluate.Names(p.steps) }

// Schedule is a checked `schedule` block.
type Schedule struct {
	Block    *decode.Block
	Name     string // "": the only one, without a name
	Cron     string
	Timezone string // an IANA name
	Overlap  string // allow, forbid or replace
	Suspend  bool
	Deadline program.Duration // 0: none
	// SuccessHistory and FailureHistory are nil where the block does not set them.
	SuccessHistory, FailureHistory *int
	Params                         map[string]cty.Value // converted to the types of the params
}

// Param is a checked `param` block.
type Param struct {
	Block   *decode.Block
	Type    cty.Type        // cty.NilType if it is invalid
	Inside  *types.Defaults // the defaults in the type
	Default cty.Value       // cty.NilVal: none
	Source  string          // where an artifact is imported from; "": nowhere
	Doc     string
	Enum    []cty.Value // the allowed values; nil: all
	Rules   []Rule
	Used    bool // an expression of the pipeline refers to it
}

// Rule is a checked `validation` block of a param.
type Rule struct {
	Condition *Value
	Message   *Value
}

// Result is a checked `output` block of a pipeline.
type Result struct {
	Block *decode.Block
	Type  cty.Type
	Value *Value
}
