package step

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/record"
)

// guarded is run. A panic fails the attempt with a result, as an error of pipec that is not retried. The stack is only in
// the log, where secrets are redacted.
func (a *attempt) guarded(ctx context.Context) (f *failure) {
	defer func() {
		if v := recover(); v != nil {
			a.writeStack(fmt.Sprintf("internal error: %v\n%s", v, debug.Stack()))
			f = internalFailure(panics.At())
		}
	}()
	return a.run(ctx)
}

// internalFailure is a failure of pipec itself.
func internalFailure(at string) *failure {
	return userFailure(record.ReasonInternal, "%s", panics.Message(at, "it with the step's log, which has the details"))
}

func (a *attempt) writeStack(text string) {
	text = strings.TrimRight(text, "\n")
	if a.log == nil {
		fmt.Fprintf(os.Stderr, "pipec: %s\n", a.masks.String(text))
		return
	}
	a.log.note("%s", strings.ReplaceAll(text, "\n", "\npipec: "))
}

// Crashed returns the termination message of an agent that has panicked in a function, outside of the attempt. seal is the key
// of its seal.
func Crashed(at, seal string) *Termination {
	f := internalFailure(at)
	return NewTermination(&record.Result{Status: record.Failed, Class: f.class, Reason: f.reason, Message: f.message}, false, seal)
}

// crashed is the exit status of a Go process that ends with a panic.
const crashed = 2

// CrashReason returns the failure of an agent that has panicked outside of the code that recovers panics, from the end of
// its container; false: it has not. The agent itself never exits with that status without a termination message. Its panic is
// only in its log, because the termination message would show it with its secrets.
func CrashReason(exitCode int, termination string) (reason, message string, ok bool) {
	if exitCode != crashed || termination != "" {
		return "", "", false
	}
	return record.ReasonInternal, internalFailure("the agent").message, true
}
