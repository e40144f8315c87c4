// Package panics describes panics that were recovered: errors of pipec itself. It decides neither who recovers them nor what
// fails then.
package panics

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// At returns the name of the function that panicked. It must be called by a deferred function, after recover.
func At() string {
	var callers [32]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	panicking := false
	for {
		f, more := frames.Next()
		ours := strings.HasPrefix(f.Function, "runtime.")
		switch {
		case f.Function == "runtime.gopanic" || f.Function == "runtime.sigpanic":
			panicking = true
		case panicking && !ours:
			return f.Function[strings.LastIndexByte(f.Function, '/')+1:]
		}
		if !more {
			return "an unknown function"
		}
	}
}

// Message returns the text of an error for users. at is where it happened: the result of At, which may be followed by more.
// report is what to report: "the expression", "it with the step's log".
func Message(at, report string) string {
	return fmt.Sprintf("internal error of pipec in %s: please report %s", at, report)
}

// Details returns the text of an error for those who fix it: the stack. Only the texts of Go's own errors are part of it,
// because others could quote a secret. It must be called by a deferred function, after recover.
func Details(panicked any) string {
	text := "internal error"
	if err, safe := panicked.(runtime.Error); safe {
		text += ": " + err.Error()
	} else {
		text += " (its text is not shown, because it could quote a secret)"
	}
	return text + "\n" + string(debug.Stack())
}
