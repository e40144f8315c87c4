// Package program is the compiled pipeline, which the compiler writes and emit and runtime read. It is data only, with one
// canonical JSON form: programs with the same meaning have the same bytes, whatever the layout, comments or syntax of the
// source.
//
// A program holds no source ranges (see SourceMap), no secrets, and nothing of a stack: one program runs on any stack.
package program

import (
	"encoding/json"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Version is the version of the JSON form. A reader refuses a newer one.
const Version = 1

// Program is one pipeline, ready to run or to be emitted.
type Program struct {
	Version     int               `json:"version"`
	Project     string            `json:"project,omitempty"`
	Pipeline    string            `json:"pipeline"`
	Params      []Param           `json:"params,omitempty"`  // sorted by name
	Codes       []Code            `json:"codes,omitempty"`   // used by a step, sorted by name
	Images      []Image           `json:"images,omitempty"`  // used by a step, sorted by name
	Steps       []Step            `json:"steps"`             // sorted by name
	Finally     []Step            `json:"finally,omitempty"` // sorted by name
	Outputs     []Result          `json:"outputs,omitempty"` // sorted by name
	OnFailure   string            `json:"on_failure"`        // continue, stop or abort
	MaxParallel int               `json:"max_parallel"`
	Timeout     Duration          `json:"timeout,omitempty"`   // 0: none
	Schedules   []Schedule        `json:"schedules,omitempty"` // sorted by name
	Labels      map[string]string `json:"labels,omitempty"`
	Target      *Target           `json:"target,omitempty"` // the cluster that it is bound to; nil: it is bound to none
	LastSuccess []LastSuccess     `json:"last,omitempty"`   // what last_success reads, sorted by pipeline and output
	Called      []Called          `json:"called,omitempty"` // pipelines that steps call, directly or not, sorted by name
}

// Param is a value that a run is started with.
type Param struct {
	Name    string          `json:"name"`
	Type    string          `json:"type"`              // as types.String writes it
	Inside  *types.Defaults `json:"inside,omitempty"`  // the defaults of optional attributes in the type
	Default json.RawMessage `json:"default,omitempty"` // absent: the run must give it
	// Source is where an artifact is imported from when a run starts that isn't given one; see ParseSource. Only of the
	// program's own params: a call gives those of the pipeline called.
	Source string `json:"source,omitempty"`
	Doc    string `json:"doc,omitempty"`
	// Enum are the allowed values, and Rules what a value must satisfy; see Allows.
	Enum  []json.RawMessage `json:"enum,omitempty"`
	Rules []Rule            `json:"rules,omitempty"`
}

// LastSuccess is an output of the newest run of a pipeline that succeeded and has it. A run is given it once, when it starts.
type LastSuccess struct {
	Pipeline string `json:"pipeline"`
	Output   string `json:"output"`
	Type     string `json:"type"`
	// Required says that a run can't start without it; else it reads as null.
	Required bool `json:"required,omitempty"`
}

// Ref is how expressions name it.
func (l *LastSuccess) Ref() string { return LastSuccessRoot + "." + l.Pipeline + "." + l.Output }

// LastSuccessRoot is what such names begin with.
const LastSuccessRoot = "last_success"

// Code is a directory that is shipped to steps. The files' digest is not here: it is known when a run starts.
type Code struct {
	Name    string   `json:"name"` // of one in a library, LIBRARY.NAME
	Dir     string   `json:"dir"`  // relative to Root, slash-separated, cleaned
	Exclude []string `json:"exclude,omitempty"`
	Digest  string   `json:"digest,omitempty"` // of the pushed bundle's tree; only in a bound program
	// Root is the directory of the library that Dir is relative to, itself relative to the project; "": the project's. A
	// library that is elsewhere is the same to a run, so it is not part of the JSON: it is only set after compiling.
	Root string `json:"-"`
}

// Image is what an `image` block says.
type Image struct {
	Name       string `json:"name"`
	Base       string `json:"base,omitempty"`
	Dockerfile string `json:"dockerfile,omitempty"`
	// Context is the directory that the Dockerfile can copy from; "": Root. It is a path, as Dockerfile.
	Context      string            `json:"context,omitempty"`
	Args         map[string]string `json:"args,omitempty"`   // of the Dockerfile
	Target       string            `json:"target,omitempty"` // a stage of the Dockerfile
	Requirements []string          `json:"requirements,omitempty"`
	Packages     []string          `json:"packages,omitempty"`
	// Lock states the exact Python packages instead of Requirements. It is a path, as Dockerfile.
	Lock         string   `json:"lock,omitempty"`
	IndexURL     string   `json:"index_url,omitempty"`
	ExtraIndexes []string `json:"extra_index_urls,omitempty"`
	FindLinks    []string `json:"find_links,omitempty"`
	Platforms    []string `json:"platforms,omitempty"`
	// Root is the directory of the library that Dockerfile and Lock are relative to, as for Code.
	Root string `json:"-"`
}

// Layered reports whether the image has layers of Python packages, which pipec builds itself.
func (i *Image) Layered() bool { return len(i.Requirements) > 0 || i.Lock != "" }

// Foundation reports whether the image, or what its layers are put on, is built from a Dockerfile: that of the block, or one that
// installs packages of the base's distribution.
func (i *Image) Foundation() bool { return i.Dockerfile != "" || len(i.Packages) > 0 }

// Schedule starts runs by the clock.
type Schedule struct {
	Name     string `json:"name,omitempty"` // "": the only one, without a name
	Cron     string `json:"cron"`
	Timezone string `json:"timezone"` // IANA name; UTC by default
	Overlap  string `json:"overlap"`  // allow, forbid or replace
	Suspend  bool   `json:"suspend,omitempty"`
	// Deadline is how late a run may still be started; 0: no bound.
	Deadline Duration `json:"deadline,omitempty"`
	// SuccessHistory and FailureHistory are how many ended Jobs the cluster keeps; nil: pipec's default.
	SuccessHistory *int                       `json:"success_history,omitempty"`
	FailureHistory *int                       `json:"failure_history,omitempty"`
	Params         map[string]json.RawMessage `json:"params,omitempty"`
}

// Schedule returns the schedule with a name, or nil.
func (p *Program) Schedule(name string) *Schedule {
	for i := range p.Schedules {
		if p.Schedules[i].Name == name {
			return &p.Schedules[i]
		}
	}
	return nil
}

// Starts reports whether a schedule starts runs.
func (p *Program) Starts() bool {
	return slices.ContainsFunc(p.Schedules, func(s Schedule) bool { return !s.Suspend })
}

// SchedulePlace returns the key of a schedule in a SourceMap.
func SchedulePlace(name string) string { return strings.TrimSuffix("schedule."+name, ".") }

// Step is a step, or a step of `finally`.
type Step struct {
	Name    string  `json:"name"`
	Doc     string  `json:"doc,omitempty"`
	Command []Value `json:"command,omitempty"` // each is a string, null, or a list of such values when evaluated; exactly one of Command, CommandList, Python, Script, Call and Approval is set
	// CommandList is the command if it is one expression that is evaluated at run time. It is a list as in Command.
	CommandList *Value `json:"command_list,omitempty"`
	Python      string `json:"python,omitempty"` // module:function
	// Script is a Python script: a path in the step's code, or in its working directory. Args are its options: a map from names
	// to values, or a list of strings.
	Script  string   `json:"script,omitempty"`
	Args    *Value   `json:"args,omitempty"`
	Code    string   `json:"code,omitempty"`    // name in Program.Codes
	Image   string   `json:"image,omitempty"`   // name in Program.Images as image.NAME, else a reference
	Inputs  []Input  `json:"inputs,omitempty"`  // sorted by name
	Outputs []Output `json:"outputs,omitempty"` // sorted by name
	// OutputOrder are the names of Outputs as declared: how a python function's tuple is read. Only where it has several.
	OutputOrder []string `json:"output_order,omitempty"`
	Env         []Env    `json:"env,omitempty"`        // sorted by name
	SecretEnv   []Secret `json:"secret_env,omitempty"` // sorted by name
	// Call runs another pipeline instead of a process. The inputs are the params of that pipeline, and its outputs are the
	// outputs of the step.
	Call *Call `json:"call,omitempty"`
	// Approval asks for an answer instead of running a process. The value of the answer is the only output, ApprovalOutput.
	Approval *Approval `json:"approval,omitempty"`
	// ForEach creates an instance of the step for each element. Needs, and a When that does not read each, are evaluated once.
	ForEach *ForEach `json:"for_each,omitempty"`
	// Repeat runs the step, or each instance of it, in rounds.
	Repeat *Repeat `json:"repeat,omitempty"`
	// Concurrency is the group in which an attempt of the step, or the call that the step is, holds a slot while it runs.
	Concurrency *Concurrency `json:"concurrency,omitempty"`
	// When decides whether the step runs, after every Need is met. nil means always. Its type is bool.
	When              *Value            `json:"when,omitempty"`
	Needs             []Need            `json:"needs,omitempty"` // sorted by step and instance; one entry each
	Retry             Retry             `json:"retry"`
	Timeout           Duration          `json:"timeout,omitempty"` // of each attempt, from the start of the user's process; 0: none
	PendingTimeout    Duration          `json:"pending_timeout,omitempty"`
	Grace             Duration          `json:"grace"` // between SIGTERM and SIGKILL
	Cache             *Cache            `json:"cache,omitempty"`
	ContinueOnFailure bool              `json:"continue_on_failure,omitempty"`
	Resources         *Resources        `json:"resources,omitempty"`
	NodeSelector      map[string]string `json:"node_selector,omitempty"`
	ServiceAccount    string            `json:"service_account,omitempty"`
	Labels            map[string]string `json:"labels,omitempty"`
	Annotations       map[string]string `json:"annotations,omitempty"`
	Security          *Security         `json:"security,omitempty"`
	// PodPatch is a strategic merge over the PodSpec, checked when compiling.
	PodPatch json.RawMessage `json:"pod_patch,omitempty"`
	// ImageDigest pins Image in a bound program. If it is "", the image is not pinned and the step is never cached.
	ImageDigest string `json:"image_digest,omitempty"`
	// Pod is the complete PodTemplateSpec (core/v1) of the step in a bound program, with the patch applied. At run time only the
	// identity and the inputs of an attempt are added, and more memory after an attempt ran out of it.
	Pod json.RawMessage `json:"pod,omitempty"`
	// Variants are the pods of a step whose pod reads each or params. Variant maps a VariantKey to its entry.
	// The pod of the step itself is then that of the first entry.
	Variants []Variant      `json:"variants,omitempty"`
	Variant  map[string]int `json:"variant,omitempty"`
	// VariantParams are the sorted names of the params that the pod reads, if its variants differ by them.
	VariantParams []string `json:"variant_params,omitempty"`
}

// Called is a pipeline as one caller sees it. It is listed twice if two callers give it different images or code to inherit.
type Called struct {
	Name        string   `json:"name"`             // of the pipeline, with the library and what it inherits: LIBRARY.NAME
	Params      []Param  `json:"params,omitempty"` // sorted by name; artifacts may be among them
	Steps       []Step   `json:"steps"`
	Finally     []Step   `json:"finally,omitempty"`
	Outputs     []Result `json:"outputs,omitempty"`
	OnFailure   string   `json:"on_failure"`
	MaxParallel int      `json:"max_parallel"`
	Timeout     Duration `json:"timeout,omitempty"`
}

// Call names the pipeline that a step calls.
type Call struct {
	Pipeline string `json:"pipeline"` // name in Program.Called
}

// MaxInstances is the default of max_instances.
const MaxInstances = 10000

// ForEach creates one instance of a step for each element of a list, a set or a map.
type ForEach struct {
	Value        Value  `json:"value"`
	Type         string `json:"type"` // of the value: list(T), set(string) or map(T)
	MaxParallel  int    `json:"max_parallel,omitempty"`
	MaxInstances int    `json:"max_instances"`
}

// Repeat runs a step in rounds, one after the other.
type Repeat struct {
	Max   int     `json:"max"`
	Until *Value  `json:"until,omitempty"` // reads output.x of the round that has ended
	Carry []Carry `json:"carry,omitempty"` // sorted by name
}

// Carry sets an input of a round from the round before it. The first round uses the input's own value.
type Carry struct {
	Name  string `json:"name"`
	Value Value  `json:"value"`
}

// Value is a constant, or an expression that is evaluated at run time. Exactly one of Const, Ref and Expr is set.
type Value struct {
	Const json.RawMessage `json:"const,omitempty"` // JSON of the value
	// Ref is a single reference, the most common expression: "step.importer.X_train", "param.gamma", "input.x",
	// "input.model.path", "output.y.path", "step.b.status", "run.name"; for steps with instances "step.a[*].x",
	// "step.a[each.key].x", `step.a["k"].x`.
	Ref  string     `json:"ref,omitempty"`
	Expr *expr.Expr `json:"expr,omitempty"`
	// Soft makes Ref read as null if its producer was skipped. For Expr, expr.Expr.Soft lists such references.
	Soft bool `json:"soft,omitempty"`
}

// Input is an input of a step. An artifact comes by Ref.
type Input struct {
	Name string `json:"name"`
	Type string `json:"type"` // the declared type, or the inferred one if none is declared
	// Inside are the defaults of optional attributes in the type.
	Inside *types.Defaults `json:"inside,omitempty"`
	Value  Value           `json:"value"`
	// Default replaces a Value that is null because its producer was skipped. nil: there is no default.
	Default json.RawMessage `json:"default,omitempty"`
}

// Output is an output of a step.
type Output struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Default is read if the step was skipped or omitted an optional output. nil: there is no default.
	Default json.RawMessage `json:"default,omitempty"`
	// Optional allows a step that succeeds to omit the output.
	Optional bool `json:"optional,omitempty"`
	// Glob selects the files of the output among those that the step has left in its working directory, or below an absolute
	// path. "": the output is written to outputs/NAME.
	Glob string `json:"glob,omitempty"`
	// File is the file that contains the value, with slashes, absolute or in the step's working directory. Key is the key, the
	// path of keys or the column of the value in it; "": the value is the whole file.
	File string `json:"file,omitempty"`
	Key  string `json:"key,omitempty"`
}

// Elsewhere reports whether the output is not written to outputs/NAME, and not returned by a Python function.
func (o *Output) Elsewhere() bool { return o.Glob != "" || o.File != "" }

// Result is an output of the pipeline. A run does not have it if the steps that it reads failed or were skipped.
type Result struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value Value  `json:"value"`
}

// Env is a variable of the step's environment. Its value is a string when evaluated.
type Env struct {
	Name  string `json:"name"`
	Value Value  `json:"value"`
}

// Secret is a variable of the environment whose value comes from a key of a secret. A program never holds the value.
type Secret struct {
	Name   string `json:"name"`
	Secret string `json:"secret"`
	Key    string `json:"key"`
}

// NeedKind is the condition that another step must meet before a step starts.
type NeedKind string

// The kinds, strictest first. All of them wait for the end of the other step.
const (
	NeedOutput NeedKind = "output" // the other step must have succeeded; otherwise this one is skipped
	NeedOrder  NeedKind = "order"  // like output, but a failure is accepted if the other step has continue_on_failure
	NeedSoft   NeedKind = "soft"   // a skipped step is accepted: its outputs read as null or their default. A failed step is not
	NeedStatus NeedKind = "status" // any end is accepted: `when` reads the status
)

// Need is a step that another step waits for.
type Need struct {
	Step string   `json:"step"`
	Kind NeedKind `json:"kind"`
	// Instance is the instance that is waited for, as an index is written: each.key (of the instance that waits), "k" or 0.
	// "" means the whole step.
	Instance string `json:"instance,omitempty"`
}

// Retry sets how often and when a step is retried.
type Retry struct {
	Attempts       int      `json:"attempts"` // the maximum number of attempts, of which infrastructure failures are not counted; at least 1
	Delay          Duration `json:"delay,omitempty"`
	Factor         float64  `json:"factor,omitempty"` // the delay is multiplied by it after each failure
	MaxDelay       Duration `json:"max_delay,omitempty"`
	Within         Duration `json:"within,omitempty"` // no attempt starts later than this after the start of the first one; 0: no bound
	OnExitCodes    []int    `json:"on_exit_codes,omitempty"`
	When           *Value   `json:"when,omitempty"` // reads attempt, exit_code and reason
	Infrastructure int      `json:"infrastructure"` // the maximum number of repeats after infrastructure failures
	OOMFactor      float64  `json:"oom_memory_factor,omitempty"`
	AvoidNode      bool     `json:"avoid_node,omitempty"` // the next attempt runs on another node than those that failed
}

// Cache allows the outputs of a step to be taken from an earlier run.
type Cache struct {
	Salt string   `json:"salt,omitempty"`
	TTL  Duration `json:"ttl,omitempty"` // 0: no end
	Key  *Value   `json:"key,omitempty"` // counts instead of the inputs and the environment; nil: these count
}

// Resources are Kubernetes quantities in canonical form. The local driver ignores them.
type Resources struct {
	CPU         string            `json:"cpu,omitempty"`
	Memory      string            `json:"memory,omitempty"`
	Storage     string            `json:"ephemeral_storage,omitempty"`
	CPULimit    string            `json:"cpu_limit,omitempty"`
	MemoryLimit string            `json:"memory_limit,omitempty"`
	Extended    map[string]string `json:"extended,omitempty"` // nvidia.com/gpu = "1"
}
