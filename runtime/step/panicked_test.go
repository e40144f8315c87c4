package step_test

import (
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// A panic of the wrapper fails the attempt with a result. The log has the stack, without secrets.
func TestPanic(t *testing.T) {
	x := sh(t, "echo hello")
	x.deps.Secrets = map[string]string{"TOKEN": "geheimnis"}
	x.deps.Started = func(int) { panic("boom geheimnis") }
	r, err := step.Run(t.Context(), x.spec, x.deps)
	if err != nil || r.Status != record.Failed || r.Class != record.ClassUser || r.Reason != record.ReasonInternal {
		t.Fatalf("%+v, %v", r, err)
	}
	if !strings.Contains(r.Message, "internal error of pipec in step_test.TestPanic") || strings.Contains(r.Message, "boom") {
		t.Errorf("the message is %s", r.Message)
	}
	log := strings.Join(x.lines, "\n")
	if !strings.Contains(log, "pipec: internal error: boom ***") || !strings.Contains(log, "goroutine") || strings.Contains(log, "geheimnis") {
		t.Errorf("the log is\n%s", log)
	}
}

// The first function of the stack that is not the Go runtime's is the culprit.
func TestCrashReason(t *testing.T) {
	const stack = "\n\ngoroutine 7 [running]:\npanic({0x1, 0x2})\n\t/go/panic.go:1 +0x1\nruntime.goPanicIndex(0x1)\n\t/go/panic.go:2\n"
	for text, want := range map[string]string{
		"panic: boom" + stack + "pipec.dev/pipec/runtime/store.(*tree).walk(0xc0)\n\t/x/tree.go:9": "store.(*tree).walk",
		"panic: boom" + stack + "pipec.dev/pipec/schema/types.FromJSON({0xc0, 0x1})\n":             "types.FromJSON",
		"panic: boom" + stack + "github.com/zclconf/go-cty/cty.Object(...)\n":                      "cty.Object",
		"fatal error: concurrent map writes\n":                                                     "an unknown function",
	} {
		reason, message, ok := step.CrashReason(text)
		if !ok || reason != record.ReasonInternal || !strings.Contains(message, "internal error of pipec in "+want+":") {
			t.Errorf("%q: %s, %v", text, message, ok)
		}
	}
	for _, text := range []string{"", "the step said panic: no", `{"status":"failed"}`, "fatal error: runtime: out of memory\n"} {
		if _, message, ok := step.CrashReason(text); ok {
			t.Errorf("%q: %s", text, message)
		}
	}
}
