package rerun

import (
	"fmt"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Reason is why a run can't be run again.
type Reason int

// The reasons.
const (
	Running    Reason = iota + 1 // something drives the run
	Succeeded                    // there is nothing to run again
	NoPipeline                   // the project does not declare the run's pipeline any more
	NoStep                       // the pipeline has none of the steps that the run was limited to
)

// RefusedError says that a run can't be run again.
type RefusedError struct {
	Run, Pipeline string
	Reason        Reason
}

func (e *RefusedError) Error() string {
	switch e.Reason {
	case Running:
		return fmt.Sprintf("run %s is running", e.Run)
	case Succeeded:
		return fmt.Sprintf("run %s succeeded: there is nothing to run again", e.Run)
	case NoPipeline:
		return fmt.Sprintf("the pipeline %q of run %s no longer exists", e.Pipeline, e.Run)
	case NoStep:
		return fmt.Sprintf("the pipeline no longer has any of the steps that run %s was limited to", e.Run)
	}
	return fmt.Sprintf("run %s can't be run again", e.Run)
}

// Plan is what a new run does that takes over the results of another.
type Plan struct {
	Only  []string   // the steps that take part; empty: all
	Steps []Decision // in the order of the program
}

// Allowed returns a *RefusedError if a run with that status can't be run again by the program now, which is nil if the
// project has no such pipeline. It allows a lost run, which needs an end first, and a run that succeeded if something is to
// differ.
func Allowed(of *record.Run, status record.Status, now *program.Program, change Change) error {
	refused := &RefusedError{Run: of.Name, Pipeline: of.Pipeline}
	switch {
	case status == record.Running:
		refused.Reason = Running
	case status == record.Succeeded && change.Empty():
		refused.Reason = Succeeded
	case now == nil || now.Pipeline != of.Pipeline:
		refused.Reason = NoPipeline
	default:
		return nil
	}
	return refused
}

// New plans a rerun of a run that ended as end. The program was is the run's, now is the pipeline's as it is now, and
// present reports whether the store still has the outputs of a step.
func New(of *record.Run, end *record.End, was, now *program.Program, change Change, present func(*record.StepEnd) bool) (*Plan, error) {
	only, err := Limit(now, of)
	if err != nil {
		return nil, err
	}
	if err := change.check(now, end); err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for i := range end.Steps {
		if s := &end.Steps[i]; !present(s) {
			gone[s.Name] = true
		}
	}
	return &Plan{Only: only, Steps: Decide(was, end, now, only, change, gone)}, nil
}

// Limit returns the steps that the run was limited to and that are still there, with all that they need now; nil if the
// run was not limited.
func Limit(now *program.Program, of *record.Run) ([]string, error) {
	if len(of.Only) == 0 {
		return nil, nil
	}
	var there []string
	for _, name := range of.Only {
		if Known(now, name) == nil {
			there = append(there, name)
		}
	}
	if len(there) == 0 {
		return nil, &RefusedError{Run: of.Name, Pipeline: of.Pipeline, Reason: NoStep}
	}
	return Closure(now, there)
}
