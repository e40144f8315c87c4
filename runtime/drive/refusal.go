package drive

import (
	"errors"
	"fmt"

	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/runtime/lastsuccess"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/record"
)

// Refusal is the error of a run that can't be started, or not in the requested way. Trying again does not help.
type Refusal struct {
	Code    string // one of the codes below
	Message string
	Hint    string // what the user can do about it; may be ""
	Reason  string // of the run's end, if the run is recorded as failed; "": ReasonRefused
}

func (r *Refusal) Error() string {
	if r.Hint != "" {
		return r.Message + "\n" + r.Hint
	}
	return r.Message
}

// The codes of refusals.
const (
	RefusedStack       = "stack"   // the stack is for another driver
	RefusedParam       = "param"   // a param is missing, unknown or not of its type
	RefusedLastSuccess = "last"    // no earlier run has the output that last_success reads
	RefusedStep        = "step"    // the pipeline has no such step
	RefusedName        = "name"    // the run's name is invalid, or taken
	RefusedSecret      = "secret"  // a secret has no value
	RefusedPython      = "python"  // no interpreter was found
	RefusedCode        = "code"    // the code can't be packed
	RefusedImport      = "import"  // an artifact that the run is to be started with can't be imported
	RefusedDriven      = "driven"  // another process drives the run
	RefusedEnded       = "ended"   // the run has ended
	RefusedProgram     = "program" // the program can't be run
	RefusedAnswer      = "answer"  // the answer to an approval can't be taken
	RefusedJob         = "job"     // the Job of the run is not the expected one, or its annotations are invalid
	RefusedStore       = "store"   // the artifact store doesn't take the run's records
)

// ReasonRefused is the reason of the end of a run that was refused after it was recorded.
const ReasonRefused = "Refused"

// Refuse returns a refusal.
func Refuse(code, format string, args ...any) *Refusal { return refuse(code, format, args...) }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns the refusal with what the user can do about it.
func (r *Refusal) WithHint(format string, args ...any) *Refusal {
	r.Hint = fmt.Sprintf(format, args...)
	return r
}

// AsRefusal returns the refusal that an error of runtime/params, rerun, lastsuccess or imports amounts to. It returns other errors
// as they are, and also those of an import that fails because of the environment.
func AsRefusal(err error) error {
	var param *params.Error
	var step *rerun.UnknownStepError
	var again *rerun.RefusedError
	var missing *lastsuccess.Missing
	var fault *imports.Fault
	switch {
	case errors.As(err, &param):
		return &Refusal{Code: RefusedParam, Message: param.Message, Hint: param.Hint}
	case errors.As(err, &step):
		return refuse(RefusedStep, "%s", step)
	case errors.As(err, &again):
		return refuse(rerunCode(again.Reason), "%s", again)
	case errors.As(err, &missing):
		return &Refusal{Code: RefusedLastSuccess, Message: missing.Message, Hint: missing.Hint}
	case errors.As(err, &fault) && !fault.Environment && !fault.Again:
		return refuse(RefusedImport, "%s", fault)
	}
	return err
}

// rerunCode returns the code of a rerun that is refused.
func rerunCode(r rerun.Reason) string {
	switch r {
	case rerun.Running:
		return RefusedDriven
	case rerun.Succeeded:
		return RefusedEnded
	case rerun.NoPipeline:
		return RefusedProgram
	case rerun.NoStep:
		return RefusedStep
	}
	return ""
}

// refuseImport is like AsRefusal, for a driver without a user: it also refuses an import that fails because of the environment
// if a later attempt would fail as well.
func refuseImport(err error) error {
	var fault *imports.Fault
	if errors.As(err, &fault) && fault.Environment && !fault.Again {
		return &Refusal{Code: RefusedImport, Message: fault.Message, Reason: record.ReasonImport}
	}
	return AsRefusal(err)
}
