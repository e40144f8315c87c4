package kube

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
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

// panickingStore panics when a key is read.
type panickingStore struct {
	store.Store
	suffix string // of the key
}

func (s panickingStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.HasSuffix(key, s.suffix) {
		panic("boom")
	}
	return s.Store.Get(ctx, key)
}

// A panic beside the loop ends the run as failed, too.
func TestPanicBesideLoop(t *testing.T) {
	inBubble(t, "work", func(t *testing.T) {
		r := newRig(t, oneStep(0))
		end, err := r.coordinate(t.Context(), panickingStore{r.store, "/result.json"}, "pod", io.Discard)
		if err != nil || end.Status != record.Failed || end.Reason != record.ReasonInternal || !strings.Contains(end.Message, "panickingStore") {
			t.Fatalf("%+v, %v", end, err)
		}
	})
}

// A coordinator that panics before the run is recorded leaves a record of the run, and its end.
func TestPanicBeforeRecord(t *testing.T) {
	inBubble(t, "request", func(t *testing.T) {
		r := newRig(t, oneStep(0))
		digest := program.Digest(nil)
		r.annotate(kube.AnnotationParams, "blob:"+digest)
		end, err := r.coordinate(t.Context(), panickingStore{r.store, record.BlobKey(digest)}, "pod", io.Discard)
		if err != nil || end.Reason != record.ReasonInternal || !strings.Contains(end.Message, "panickingStore") {
			t.Fatalf("%+v, %v", end, err)
		}
		run, err := store.ReadJSON[record.Run](t.Context(), r.store, (&record.Run{Namespace: "ns", Pipeline: "p", Name: "run"}).RunKey())
		if err != nil || run.Refused == nil || run.Refused.Message != end.Message {
			t.Errorf("%+v, %v", run, err)
		}
	})
}
