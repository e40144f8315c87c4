// Package check finds what a project means and whether it can: names to declarations, expressions to types, references
// to edges. What comes out is a model of each pipeline in which every value has a type and every reference a target;
// lower turns it into a program. Everything that is wrong is told, not the first thing alone.
package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// Pipeline is one checked pipeline. What is plain data already stands in Program: lower fills in the rest of it.
type Pipeline struct {
	Block   *decode.Block
	Params  map[string]*Param
	Steps   []*Step // of both sorts, in the order of the source
	Results []*Result
	Program program.Program
	// Calls are the pipelines that its steps call, each once, in the order of the source.
	Calls []*Pipeline

	world   *evaluate.Project // the project, or the library, that it is declared in
	entered bool              // it is being checked
	called  bool              // another one calls it
	faulty  bool              // some of its outputs are not known
	byName  map[string]*Step
	code    string // of the pipeline: the default of its steps
	image   string
	cache   bool
	mounts  map[string]*mount // the claims that its steps mount, and those of what it calls
}

// World is the project, or the library, that the pipeline is declared in.
func (p *Pipeline) World() *evaluate.Project { return p.world }

// Called says whether another pipeline calls it. Without a schedule, it is then not a target by itself.
func (p *Pipeline) Called() bool { return p.called && p.Block.One("schedule") == nil }

// Param is a checked param.
type Param struct {
	Block   *decode.Block
	Type    cty.Type
	Default cty.Value // cty.NilVal without one
	Source  string    // where an artifact is imported from; "": nowhere
	used    bool
}

// Step is a checked step, or a step of finally.
type Step struct {
	claims  []claim         // that its volumes mount
	secrets []*decode.Block // secret_env

	Block   *decode.Block
	Finally bool
	Command []*Value
	// CommandList is the command where it is not written as a list of its parts.
	CommandList *Value
	Inputs      []*Input
	Outputs     []*Output
	Env         map[string]*Value
	When        *Value
	Callee      *Pipeline // of a call
	Library     string    // that the callee is called of, as it is named where the step stands; "": it is of the same directory
	Approval    *Approval // of a step that asks
	ForEach     *ForEach
	Repeat      *Repeat
	RetryWhen   *Value
	Needs       map[string]*Need // by Need.key
	Program     program.Step     // what is plain data already

	inputs  map[string]*Input
	outputs map[string]*Output
	limited bool // the limit of its group is known
	faulty  bool // what it calls is not known: neither are its inputs and outputs
}

// ForEach is a checked for_each.
type ForEach struct {
	Value *Value // nil where it is faulty
	Type  cty.Type
	Key   cty.Type // of each.key
	Elem  cty.Type // of each.value
	Known bool
	Keys  []string // where they are Known when compiling, as expr.Key writes them
	state int
}

// Repeat is a checked repeat.
type Repeat struct {
	Max   int
	Until *Value
	Carry map[string]*Value
}

// Name is the step's name.
func (s *Step) Name() string { return s.Block.Label }

// Input is a checked input.
type Input struct {
	Block   *decode.Block
	Type    cty.Type // cty.NilType where it is faulty
	Value   *Value
	Default cty.Value // cty.NilVal without one
}

// Output is a checked output.
type Output struct {
	Block   *decode.Block
	Type    cty.Type // cty.NilType where it is faulty
	Default cty.Value
	// Optional says that the step may leave it out, and Glob which of the files that it leaves it is.
	Optional bool
	Glob     string
}

// Result is a checked output of the pipeline.
type Result struct {
	Block *decode.Block
	Type  cty.Type
	Value *Value
}

// Need is a step that another waits for, and where that is written.
type Need struct {
	Step     string
	Instance string // as program.Need has it
	Kind     program.NeedKind
	At       hcl.Range
}

func (n *Need) key() string {
	if n.Instance == "" {
		return n.Step
	}
	return n.Step + "[" + n.Instance + "]"
}

// Value is a checked expression: a constant, or what is evaluated at run time.
type Value struct {
	Const cty.Value            // cty.NilVal where it waits for run time
	Node  hclsyntax.Expression // what waits
	Type  cty.Type             // of the expression itself, before it is given to anything
	Uses  []Use                // its references
}

// Use is one reference in an expression.
type Use struct {
	Ref      string // step.a.x, step.a[*].x, param.p, run.name, each.key, input.x, output.y, var.v, local.l, attempt
	Step     string // the step referred to; "" for others
	Instance string // of it, as expr.Ref has it
	Output   string // of it; "": its status, or all outputs
	Status   bool   // how it ended, not an output
	Const    bool   // var or local
	Last     *Last  // of last_success
	Soft     bool
	At       hcl.Range
}

// Last is an output of an earlier run.
type Last struct {
	Pipeline, Output string
	Type             cty.Type
}
