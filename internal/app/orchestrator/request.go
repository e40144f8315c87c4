package orchestrator

import (
	"context"
	"time"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// StartRequest configures the start of a run.
type StartRequest struct {
	Pipeline string // "": the only one
	// ParamFiles are files with values of params, which Params override.
	ParamFiles []string
	Params     []string // NAME=TEXT, as package inputs reads them
	// ScheduledAt is the time of the schedule that the run is for; nil: none.
	ScheduledAt *time.Time
	// Schedule is the name of the schedule whose params the run has; "": that of the only one.
	Schedule string
	Steps    []string // the steps to run, with all that they need; empty: all
	Name     string   // of the run; "": one is generated
	Parallel int      // bounds the attempts at once; 0: the stack's bound
	Follow   bool     // follow the run though the stack says otherwise
	Detach   bool     // do not follow the run
	NoLines  bool     // the log lines of the steps need not be passed on
	// Watch is called once, when the run begins to be followed, with the run's program. The function that it returns is
	// called with the run's events, in order and by one goroutine. nil: the run is not watched.
	Watch func(*program.Program) func(record.Event)
	// Interrupts reach the run while it is followed. Before and after that, the first one ends the operation. May be nil.
	Interrupts <-chan interrupt.Interrupt
}

// Check reports what is wrong with a request for any project.
func (r *StartRequest) Check() error {
	if r.Name == runs.Latest {
		return fault.Usagef("a run can't be named %s: that name refers to the newest run", runs.Latest)
	}
	return nil
}

// Observer returns the function that is called with the events of a run of p.
func (r *StartRequest) Observer(p *program.Program) func(record.Event) {
	if r.Watch == nil {
		return func(record.Event) {}
	}
	return r.Watch(p)
}

// Outcome is a run that was started.
type Outcome struct {
	Run         string // its name; "" where nothing was started
	Followed    bool
	End         *record.End // nil: the run was not followed to its end
	Interrupted bool        // an interrupt has reached the run, which asked for it to be cancelled
}

// RunRequest selects a run.
type RunRequest struct {
	Pipeline string // "": any
	Name     string // the run's name, the start of it, or "latest"; "": the latest
}

// RerunRequest selects the run that is run again, and configures the new run. Pipeline and steps of the new run are those
// of the earlier run, and so are its params, unless others are given.
type RerunRequest struct {
	Run  RunRequest
	From []string // the addresses of steps to run although they succeeded, with all that depends on them
	StartRequest
}

// RerunPlan is what a rerun does.
type RerunPlan struct {
	Of     string // the run
	Resume bool   // the run itself is resumed; else a new run takes over what it has done
	Steps  []rerun.Decision
	// Nothing is the reason if there is nothing to run again; otherwise it is "".
	Nothing string
	// Start does it. nil: there is nothing to run again.
	Start func(context.Context) (*Outcome, error)
}

// LogsRequest selects the lines to read.
type LogsRequest struct {
	RunRequest
	runs.LogOptions
	// Line is called with each line, as an event. An error of it ends the operation.
	Line func(record.Event) error
	// Observe is called with what else happens to a run that is followed. May be nil.
	Observe func(record.Event)
}

// CancelRequest selects the run to cancel.
type CancelRequest struct {
	RunRequest
	Wait    bool               // return when the run has ended
	Observe func(record.Event) // is called with what happens meanwhile. May be nil.
}

// Cancelled is a run that was asked to end.
type Cancelled struct {
	Run  string
	End  *record.End // nil: it was not waited for
	Lost bool        // nothing drove the run any more: its end was recorded instead
}

// AnswerRequest answers an approval.
type AnswerRequest struct {
	RunRequest
	Step    string // its address; "": the only step that waits
	Value   string // where Valued: a literal of the approval's type, or @FILE
	Valued  bool
	Reject  bool
	Reason  string
	Observe func(record.Event) // is called with what happens meanwhile. May be nil.
}

// Check reports what is wrong with a request for any run.
func (r *AnswerRequest) Check() error {
	switch {
	case r.Reject && r.Valued:
		return fault.Usagef("--reject and --value exclude each other: a rejection has no value")
	case len(r.Reason) > record.MaxMessage:
		return fault.Usagef("--reason has %d bytes; at most %d are allowed", len(r.Reason), record.MaxMessage)
	}
	return nil
}

// Answered is a step whose approval was answered.
type Answered struct {
	Run string
	End *record.StepEnd
}
