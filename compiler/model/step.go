package model

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Step is a checked `step` or `finally` block. It runs a process (Command, CommandList, Python or Script), calls a pipeline
// (Callee) or asks for an approval (Approval).
type Step struct {
	Block   *decode.Block
	Finally bool
	Doc     string

	Command     []*Value         // strings, and values that are flattened at run time
	CommandFrom []hcl.Expression // of the elements of Command
	CommandList *Value           // a command that is a single run-time expression
	Python      string           // module:function
	Script      string           // the path of a Python script, with slashes
	Args        *Value           // of Script; nil: none
	Callee      *Pipeline        // nil if the step calls nothing, or if the call is invalid
	Library     string           // the library block through which Callee is called; "": Callee is in the same directory
	Approval    *Approval

	Inputs  []*Input          // in source order
	Outputs []*Output         // in source order; of a call, those of Callee
	Env     map[string]*Value // the attribute `env`
	Secrets []*decode.Block   // the `secret_env` blocks whose names are valid; Pod.Secrets has their contents
	Code    string            // the name of a `code` block; "": none
	When    *Value
	ForEach *ForEach
	Repeat  *Repeat

	DependsOn []Dependency     // the attribute `depends_on`
	Needs     map[string]*Need // by Need.Key

	Retry             Retry
	Timeout           program.Duration // of each attempt; 0: none
	PendingTimeout    program.Duration
	Grace             program.Duration // between SIGTERM and SIGKILL
	ContinueOnFailure bool
	Cache             *program.Cache
	CacheKey          *Value // what counts instead of the inputs; nil: the inputs
	Concurrency       *Concurrency

	Pod      Pod            // of all instances, or of the first one if the instances have different pods
	Variants []Pod          // the different pods of the instances, and for the values of params; empty if all are the same
	Variant  map[string]int // index in Variants by program.VariantKey
	// VariantParams are the sorted names of the params that the pod reads, if Variants differ by them.
	VariantParams []string
	Claims        []Claim // the claims that its volumes mount

	// Incomplete reports that inputs and outputs are unknown because the call or the approval is invalid.
	Incomplete bool

	inputs  map[string]*Input
	outputs map[string]*Output
}

// Name returns the step's name.
func (s *Step) Name() string { return s.Block.Label }

// IsApproval reports whether the step asks for an approval and does nothing else.
func (s *Step) IsApproval() bool { return s.Block.One("approval") != nil && s.Work() == nil }

// Work returns the attribute `command`, `python`, `script` or `pipeline`, or nil if the step has none of them, as an approval.
func (s *Step) Work() *hcl.Attribute {
	for _, name := range []string{"command", "python", "script", "pipeline"} {
		if a := s.Block.Attrs[name]; a != nil {
			return a
		}
	}
	return nil
}

// Pods returns the different pods of the step: one, unless it has variants.
func (s *Step) Pods() []Pod {
	if len(s.Variants) > 0 {
		return s.Variants
	}
	return []Pod{s.Pod}
}

// AddInput adds an input whose name is not taken.
func (s *Step) AddInput(in *Input) {
	if s.inputs == nil {
		s.inputs = map[string]*Input{}
	}
	s.inputs[in.Block.Label] = in
	s.Inputs = append(s.Inputs, in)
}

// Input returns the input with a name, or nil.
func (s *Step) Input(name string) *Input { return s.inputs[name] }

// InputNames returns the sorted names of the inputs.
func (s *Step) InputNames() []string { return evaluate.Names(s.inputs) }

// AddOutput adds an output whose name is not taken.
func (s *Step) AddOutput(o *Output) {
	if s.outputs == nil {
		s.outputs = map[string]*Output{}
	}
	s.outputs[o.Block.Label] = o
	s.Outputs = append(s.Outputs, o)
}

// Output returns the output with a name, or nil.
func (s *Step) Output(name string) *Output { return s.outputs[name] }

// OutputNames returns the sorted names of the outputs.
func (s *Step) OutputNames() []string { return evaluate.Names(s.outputs) }

// Input is a checked `input` block.
type Input struct {
	Block   *decode.Block
	Type    cty.Type        // cty.NilType if it is invalid
	Inside  *types.Defaults // the defaults in the type
	Value   *Value
	Default cty.Value // cty.NilVal: none
}

// Output is a checked `output` block of a step.
type Output struct {
	Block    *decode.Block
	Type     cty.Type  // cty.NilType if it is invalid
	Default  cty.Value // cty.NilVal: none
	Optional bool      // a successful step may omit it
	File     string    // the file that contains the value, with slashes; "": outputs/NAME
	Key      string    // the key of the value in File; "": the whole file
	Glob     string    // which of the step's files it consists of; "": those that are written to outputs/NAME
}

// Approval is a checked `approval` block. The value that the approver gives is the step's output program.ApprovalOutput.
type Approval struct {
	Message *Value
	Default cty.Value // cty.NilVal: none
	Timeout program.Duration
}

// ForEach is a checked `for_each`.
type ForEach struct {
	Value        *Value   // nil if it is invalid
	Type         cty.Type // of the value
	Key          cty.Type // of each.key
	Elem         cty.Type // of each.value
	Known        bool     // the keys are known when compiling
	Keys         []string // if Known, as expr.Key writes them
	MaxParallel  int      // 0: no limit
	MaxInstances int
}

// Repeat is a checked `repeat` block.
type Repeat struct {
	Max   int
	Until *Value
	Carry map[string]*Value // by the name of the input
}

// Retry is a checked `retry` block, or the defaults without one.
type Retry struct {
	Attempts        int
	Delay, MaxDelay program.Duration
	Factor          float64
	Within          program.Duration
	OnExitCodes     []int
	When            *Value
	Infrastructure  int
	OOMFactor       float64
	AvoidNode       bool
}

// Concurrency is a checked `concurrency` block.
type Concurrency struct {
	Group string
	Limit int
	Skip  bool // the step is skipped if the group has no free slot
	// LimitKnown reports that the block sets a valid limit, or none. Otherwise Limit is 1 and must not be compared.
	LimitKnown bool
}
