package diag

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Internal returns the diagnostic for a panic: what failed, for example "evaluating this expression". The function that
// recovered the panic must call it directly, because the diagnostic names the line of pipec that panicked. With secret, only
// texts of Go's own errors are shown, because other texts could quote a sensitive value.
func Internal(at hcl.Range, what string, panicked any, secret bool) Diagnostic {
	reason := fmt.Sprint(panicked)
	if _, safe := panicked.(runtime.Error); secret && !safe {
		reason = "the reason is not shown, because it could quote a sensitive value"
	}
	reason, _, _ = strings.Cut(reason, "\n")
	return New("internal", at, "internal error of pipec while %s", what).
		WithDetail("%s (%s). Other faults may not have been found.", upper(reason), panicPlace()).
		WithSuggestion("report this message and the source that causes it to pipec's authors")
}

func upper(s string) string {
	if s == "" {
		return "There is no reason"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// panicPlace returns the innermost line of pipec on the stack of the panic that is being recovered.
func panicPlace() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for panicked := false; ; {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicked = true
		case panicked && strings.HasPrefix(f.Function, "pipec.dev/pipec/"):
			name, _, _ := strings.Cut(strings.TrimPrefix(f.Function, "pipec.dev/pipec/"), ".")
			return fmt.Sprintf("%s/%s:%d", name, path.Base(f.File), f.Line)
		}
		if !more {
			return "in a library"
		}
	}
}
