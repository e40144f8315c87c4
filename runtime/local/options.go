// Package local drives runs as processes on this machine: it gives the engine what happens and does what the engine
// asks for. It starts runs, goes on with runs whose driver was killed, and runs again what failed.
//
// It decides nothing about a run (runtime/engine does), knows nothing of a step's insides (runtime/step does), and
// prints nothing: who watches is told by Options.Observe. Nothing polls, and what it holds in memory doesn't grow with
// what steps print.
package local

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Options say what to run and how.
type Options struct {
	Project string                     // the project's directory
	Program *program.Program           // what to run. Resume takes the recorded one
	Encoded []byte                     // the program's encoding; nil: it is encoded here
	Stack   *program.Stack             // where
	Stores  stores.Set                 // opens the stack's artifact store; nil: stores.Builtin()
	Params  map[string]json.RawMessage // values, and artifacts as params.Give writes them
	Name    string                     // of the run; "": one is made of the pipeline's name, the time and chance
	Only    []string                   // the steps to run, with all that they need; empty: all
	// Parallel bounds the attempts at once; 0: what the stack says, else the machine's cores.
	Parallel int
	Environ  []string // NAME=value; what steps inherit, and where PIPEC_SECRET_* are looked up
	// Observe is told of all that happens, in order, by one goroutine: events, and each line that a step writes. While
	// it works the steps that write wait. May be nil.
	Observe func(record.Event)
	// Force ends the run at once when it is closed: what runs is killed, finally's steps are not started. May be nil.
	Force <-chan struct{}
}

// openStore opens the artifact store of the stack.
func (o *Options) openStore() (stores.Store, error) {
	return o.Stores.Open(context.Background(), o.Stack.ArtifactStore, stores.Options{Dir: o.Project})
}

// Outcome is a run and how it ended.
type Outcome struct {
	Run *record.Run // nil where nothing was started
	End *record.End // nil where the run could not be brought to an end
}

// Refusal says that a run can't be started as it was asked for. Nothing was done then.
type Refusal struct {
	Code    string // one of the codes below
	Message string
	Hint    string // what to do about it; may be ""
}

func (r *Refusal) Error() string {
	if r.Hint != "" {
		return r.Message + "\n" + r.Hint
	}
	return r.Message
}

// The codes of refusals.
const (
	RefusedStack   = "stack"   // the stack isn't one of this machine
	RefusedParam   = "param"   // a parameter is missing, unknown or not of its type
	RefusedLast    = "last"    // there is no earlier run that it needs the output of
	RefusedStep    = "step"    // there is no such step
	RefusedName    = "name"    // the run's name can't be one, or is taken
	RefusedSecret  = "secret"  // secrets have no value
	RefusedPython  = "python"  // there is no interpreter
	RefusedCode    = "code"    // the code can't be packed
	RefusedImport  = "import"  // an artifact that the run is to be started with can't be imported
	RefusedDriven  = "driven"  // another process drives the run
	RefusedEnded   = "ended"   // there is nothing to go on with
	RefusedProgram = "program" // the program can't be run
	RefusedAnswer  = "answer"  // an approval can't be answered so
)

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (r *Refusal) hint(format string, args ...any) *Refusal {
	r.Hint = fmt.Sprintf(format, args...)
	return r
}

// parallel is the bound that holds.
func (o *Options) parallel() int {
	switch {
	case o.Parallel > 0:
		return o.Parallel
	case o.Stack != nil && o.Stack.Orchestrator.Parallel > 0:
		return o.Stack.Orchestrator.Parallel
	}
	return runtime.NumCPU()
}

func (o *Options) getenv(name string) string {
	for i := len(o.Environ) - 1; i >= 0; i-- {
		if rest, ok := strings.CutPrefix(o.Environ[i], name); ok && strings.HasPrefix(rest, "=") {
			return rest[1:]
		}
	}
	return ""
}

// now is the time as records have it: UTC, without what only this process can read of it.
func now() time.Time { return time.Now().UTC().Round(0) }
