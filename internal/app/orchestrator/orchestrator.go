// Package orchestrator is the one way to runs: an interface that starts, reruns, follows, cancels and answers runs, whatever
// drives them. The folders beneath implement it, for this machine and for a cluster. Which implementation a stack gets is
// decided by a Table, so that no caller asks what kind of orchestrator it talks to.
//
// It drives nothing itself. What a kind of orchestrator can't do, its implementation refuses.
package orchestrator

import (
	"context"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
)

// Orchestrator is where the runs of a stack are. Errors are faults.
type Orchestrator interface {
	// Start starts a run, and returns when it has ended, or, where it is not followed, when it is known to have started.
	Start(context.Context, *StartRequest) (*Outcome, error)
	// Rerun returns the plan of a rerun. It changes nothing; RerunPlan.Start does it.
	Rerun(context.Context, *RerunRequest) (*RerunPlan, error)
	// Logs passes on the log lines of a run.
	Logs(context.Context, *LogsRequest) error
	// Cancel asks for a run to be cancelled.
	Cancel(context.Context, *CancelRequest) (*Cancelled, error)
	// Answer answers an approval, and returns when the run has taken the answer.
	Answer(context.Context, *AnswerRequest) (*Answered, error)
	// Reader reads the records of all runs of the stack's namespace, or of this machine. The caller closes it.
	Reader(context.Context) (*runs.Reader, error)
}

// Stack is a compiled project with the stack that its runs use.
type Stack struct {
	*project.Project
	*project.Compiled
	Stack *program.Stack
}

// OpenRecords opens the artifact store of the stack for reading the records of a namespace's runs. The caller closes the reader.
func (s *Stack) OpenRecords(ctx context.Context, namespace string) (*runs.Reader, error) {
	dir, err := work.In(s.Dir())
	if err != nil {
		return nil, fault.Env(err)
	}
	st, err := s.OpenStore(ctx, s.Stack.ArtifactStore)
	if err != nil {
		return nil, err
	}
	return runs.NewReader(st, dir, namespace), nil
}

// Row is a kind of orchestrator.
type Row struct {
	Kind string // as in `orchestrator "KIND"`
	// Applied says that pipelines are applied to the orchestrator before they run, so that plan, apply, destroy, emit and
	// push have something to do.
	Applied bool
	// Detached says that a run continues without the process that follows it.
	Detached bool
	// Open returns the orchestrator of a stack. It connects to nothing yet.
	Open func(*Stack) Orchestrator
	// Check tries what runs on the stack will need.
	Check func(context.Context, *Stack) []store.Finding
}

// Table has a row for each kind of orchestrator.
type Table []Row

// Row returns the row of a stack.
func (t Table) Row(s *program.Stack) (*Row, error) {
	for i := range t {
		if t[i].Kind == s.Orchestrator.Kind {
			return &t[i], nil
		}
	}
	return nil, fault.Userf("stack %q has the orchestrator %q, which this version of pipec does not support", s.Name, s.Orchestrator.Kind)
}

// Applied returns the kinds of orchestrators that pipelines are applied to.
func (t Table) Applied() []string {
	var out []string
	for i := range t {
		if t[i].Applied {
			out = append(out, t[i].Kind)
		}
	}
	return out
}
