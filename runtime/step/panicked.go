package step

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/record"
)

// guarded is run. A panic fails the attempt with a result, as an error of pipec that is not retried. The stack is only in
// the log, where secrets are redacted.
func (a *attempt) guarded(ctx context.Context) (f *failure) {
	defer func() {
		if v := recover(); v != nil {
			a.writeStack(fmt.Sprintf("internal error: %v\n%s", v, debug.Stack()))
			f = internalFailure(expr.Panicked())
		}
	}()
	return a.run(ctx)
}

// internalFailure is a failure of pipec itself.
func internalFailure(at string) *failure {
	return userFailure(record.ReasonInternal, "internal error of pipec in %s: please report it with the step's log, which has the details", at)
}

func (a *attempt) writeStack(text string) {
	text = strings.TrimRight(text, "\n")
	if a.log == nil {
		fmt.Fprintf(os.Stderr, "pipec: %s\n", a.masks.String(text))
		return
	}
	a.log.note("%s", strings.ReplaceAll(text, "\n", "\npipec: "))
}

// maxTrace is how much of a crash report is read: it begins with the panic.
const maxTrace = MaxTermination

// CrashReason returns the failure that the crash report of an agent amounts to, as the Go runtime writes it when a
// goroutine panics; false: text is not one. Running out of memory is not an error of pipec.
func CrashReason(text string) (reason, message string, ok bool) {
	first, rest, _ := strings.Cut(text[:min(len(text), maxTrace)], "\n")
	if !strings.HasPrefix(first, "panic: ") && !strings.HasPrefix(first, "fatal error: ") || strings.Contains(first, "out of memory") || strings.Contains(first, "cannot allocate") {
		return "", "", false
	}
	return record.ReasonInternal, internalFailure(culprit(rest)).message, true
}

// culprit returns the first function of a stack that is not the Go runtime's.
func culprit(stack string) string {
	for line := range strings.SplitSeq(stack, "\n") {
		name, _, isCall := strings.Cut(line, "(0x")
		if !isCall {
			name, _, isCall = strings.Cut(line, "({")
		}
		if !isCall {
			name, isCall = strings.CutSuffix(line, "(...)")
		}
		name = strings.TrimSuffix(name, "()")
		if strings.HasPrefix(line, "\t") || !isCall || strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "panic") {
			continue
		}
		return name[strings.LastIndexByte(name, '/')+1:]
	}
	return "an unknown function"
}
