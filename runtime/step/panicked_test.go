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

// Only a container that exits with Go's status without a message has panicked.
func TestCrashReason(t *testing.T) {
	reason, message, ok := step.CrashReason(2, "")
	if !ok || reason != record.ReasonInternal || !strings.Contains(message, "internal error of pipec in the agent: please report it with the step's log") {
		t.Errorf("%s: %s, %v", reason, message, ok)
	}
	for _, c := range []struct {
		code int
		text string
	}{{0, ""}, {1, ""}, {3, ""}, {137, ""}, {2, `{"status":"failed"}`}} {
		if _, message, ok := step.CrashReason(c.code, c.text); ok {
			t.Errorf("%d, %q: %s", c.code, c.text, message)
		}
	}
}
