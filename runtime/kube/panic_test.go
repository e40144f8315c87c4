package kube

import (
	"bytes"
	"io"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// panicking panics when it takes a certain event.
type panicking struct{ event string }

func (p panicking) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(p.event)) {
		panic("boom")
	}
	return len(b), nil
}

// A coordinator that panics ends its run as failed, so that it is not started again and again.
func TestPanic(t *testing.T) {
	inBubble(t, "loop", func(t *testing.T) {
		r := newRig(t, &program.Program{OnFailure: "continue", Steps: []program.Step{{Name: "a", Retry: program.Retry{Attempts: 1}}}})
		for _, out := range []io.Writer{panicking{string(record.StepEnded)}, io.Discard} {
			end, err := r.coordinate(t.Context(), r.store, "pod", out)
			if err != nil || end.Status != record.Failed || end.Reason != record.ReasonInternal {
				t.Fatalf("%+v, %v", end, err)
			}
		}
		run := record.Run{Namespace: "ns", Pipeline: "p", Name: "run"}
		end, err := store.ReadJSON[record.End](t.Context(), r.store, run.EndKey())
		if err != nil || end.Reason != record.ReasonInternal {
			t.Errorf("the recorded end is %+v, %v", end, err)
		}
	})
}
