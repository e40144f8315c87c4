package kube

import (
	"bytes"
	"context"
	"io"
	"strings"
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

// panickingStore panics when a result is read, beside the loop.
type panickingStore struct{ store.Store }

func (s panickingStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.HasSuffix(key, "/result.json") {
		panic("boom")
	}
	return s.Store.Get(ctx, key)
}

// A panic beside the loop ends the run as failed, too.
func TestPanicBesideLoop(t *testing.T) {
	inBubble(t, "work", func(t *testing.T) {
		r := newRig(t, oneStep(0))
		end, err := r.coordinate(t.Context(), panickingStore{r.store}, "pod", io.Discard)
		if err != nil || end.Status != record.Failed || end.Reason != record.ReasonInternal || !strings.Contains(end.Message, "panickingStore") {
			t.Fatalf("%+v, %v", end, err)
		}
	})
}
