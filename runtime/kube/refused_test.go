package kube

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// dyingStore is a store of a coordinator that dies when it has written a run's record.
type dyingStore struct {
	store.Store
	die  context.CancelFunc
	dead bool
}

func (s *dyingStore) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if s.dead {
		return context.Canceled
	}
	err := s.Store.Put(ctx, key, r, mode)
	if strings.HasSuffix(key, "/run.json") {
		s.dead = true
		s.die()
	}
	return err
}

// TestRefusedOnce: if the coordinator of a run that is refused dies before it could record the end, its successor records the
// same end, and creates no pod.
func TestRefusedOnce(t *testing.T) {
	for what, c := range map[string]struct {
		program *program.Program
		params  string
		message string
	}{
		"params": {&program.Program{Steps: []program.Step{{Name: "a"}}, Params: []program.Param{{Name: "n", Type: "number"}}}, `{"no": 1}`, "no param"},
		"code":   {&program.Program{Steps: []program.Step{{Name: "a", Code: "c"}}, Codes: []program.Code{{Name: "c", Digest: "sha256:" + strings.Repeat("a", 64)}}}, `{}`, "is not in the store"},
	} {
		inBubble(t, what, func(t *testing.T) {
			r := newRig(t, c.program)
			r.annotate(kube.AnnotationParams, c.params)
			ctx, die := context.WithCancel(t.Context())
			if _, err := r.coordinate(ctx, &dyingStore{Store: r.store, die: die}, "one", io.Discard); err == nil {
				t.Fatal("the first coordinator has not died")
			}
			end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			key := (&record.Run{Namespace: "ns", Pipeline: "p", Name: "run"}).EndKey()
			stored, err := store.ReadJSON[record.End](t.Context(), r.store, key)
			if err != nil || stored.Message != end.Message || end.Status != record.Failed || end.Reason != "Refused" || !strings.Contains(end.Message, c.message) {
				t.Errorf("the run ended %+v, stored is %+v, %v", end, stored, err)
			}
			if made := r.api.Made(); len(made) > 0 {
				t.Errorf("pods were created: %v", made)
			}
		})
	}
}

// skewedStore refuses to read results for a while, as a store does whose clock differs.
type skewedStore struct {
	store.Store
	until time.Time
}

func (s *skewedStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if strings.HasSuffix(key, "/result.json") && time.Now().Before(s.until) {
		return nil, &store.Fault{Class: store.Permanent, Text: "RequestTimeTooSkewed", Err: errors.New("403")}
	}
	return s.Store.Get(ctx, key)
}

// TestResultUnreadable: a result that can't be read for a moment counts.
func TestResultUnreadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(0))
		end := r.start(&skewedStore{r.store, time.Now().Add(40 * time.Second)}, "one", io.Discard).wait(t)
		if end.Status != record.Succeeded || end.Steps[0].Attempts != 1 {
			t.Errorf("%+v", end)
		}
	})
}
