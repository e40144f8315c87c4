// Package local runs the steps of runs as processes of this machine: it is the executor beneath runtime/drive. It starts
// runs, resumes runs whose driver was killed, and reruns what failed.
//
// The package makes no decisions about a run (runtime/engine does), does not handle the inputs and outputs of a step
// (runtime/step does), and prints nothing: it calls Options.Observe with all events. It does not poll, and its memory does not
// grow with the output of steps.
package local

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Options define what to run, and how.
type Options struct {
	Project string                     // the project's directory
	Program *program.Program           // what to run. Resume uses the recorded program
	Encoded []byte                     // the program's encoding; nil: it is encoded here
	Stack   *program.Stack             // where to run it
	Kinds   *kinds.Set                 // the known orchestrators and stores; nil: kinds.Builtin()
	Stores  stores.Set                 // opens the stack's artifact store; nil: stores.Builtin()
	Params  map[string]json.RawMessage // values, and artifacts as params.Give writes them
	Name    string                     // of the run; "": a name is built from the pipeline's name, the time and a random number
	Only    []string                   // the steps to run, together with those that they need; empty: all
	// ScheduledAt is the time of the schedule that the run is for; nil: none.
	ScheduledAt *time.Time
	Schedule    string // the name of that schedule; "": none, or the only one
	// Parallel bounds the attempts that run at the same time; 0: the limit of the stack, else the number of cores.
	Parallel int
	Environ  []string // NAME=value; steps inherit it, and PIPEC_SECRET_* are looked up in it
	// Observe is called with all events and with each line that a step writes, in order, by one goroutine. Steps that write
	// wait until it returns. May be nil.
	Observe func(record.Event)
	// Force ends the run immediately when it is closed: processes are killed, and the steps of finally are not started. May be
	// nil.
	Force <-chan struct{}
}

// openStore opens the artifact store of the stack.
func (o *Options) openStore() (stores.Store, error) {
	return o.Stores.Open(context.Background(), o.Stack.ArtifactStore, stores.Options{Dir: o.Project})
}

// reader opens the artifact store for reading the records of runs. The caller closes it.
func (o *Options) reader() (*runs.Reader, error) {
	dir, err := work.In(o.Project)
	if err != nil {
		return nil, err
	}
	s, err := o.openStore()
	if err != nil {
		return nil, err
	}
	return runs.NewReader(s, dir, runs.Namespace), nil
}

// elsewhere reports whether the steps of the stack run as pods, and not on this machine.
func (o *Options) elsewhere() bool {
	set := o.Kinds
	if set == nil {
		set = kinds.Builtin()
	}
	return set.Pods(o.Stack)
}

// Outcome is a run and how it ended.
type Outcome struct {
	Run *record.Run // nil if nothing was started
	End *record.End // nil if the run could not be brought to an end
}

// parallel returns how many attempts may run at the same time.
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
