package kube

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// firstStore commits a result just before the coordinator commits one for an attempt that it gives up.
type firstStore struct {
	store.Store
	commits *record.Result // nil: none
	writes  atomic.Int64   // of results, by the coordinator
}

func (s *firstStore) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if strings.HasSuffix(key, "/result.json") {
		s.writes.Add(1)
		if s.commits != nil {
			_ = store.WriteJSON(ctx, s.Store, key, s.commits, store.IfAbsent)
		}
	}
	return s.Store.Put(ctx, key, r, mode)
}

// TestRevoke: if a request to create a pod had no answer, was repeated, and the pod leaves no result, the coordinator commits
// one before it creates the next attempt. A result that a pod commits first counts. If there was an answer, nothing is written.
func TestRevoke(t *testing.T) {
	success := &record.Result{Version: 1, Run: "run", Step: "a", Attempt: 1, Status: record.Succeeded}
	for what, c := range map[string]struct {
		lost     bool
		commits  *record.Result
		writes   int64
		attempts int
	}{
		"answered":              {false, nil, 0, 2},
		"none":                  {true, nil, 1, 2},
		"none, and it succeeds": {true, success, 1, 1},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, oneStep(3))
				s := &firstStore{Store: r.store, commits: c.commits}
				r.runs = func(p corev1.Pod) { time.Sleep(time.Second) }
				r.outcome = func(_ string, attempt int) *record.Result {
					if attempt == 1 {
						return nil
					}
					return &record.Result{Status: record.Succeeded}
				}
				var posts atomic.Int64
				r.api.Fault = func(q *http.Request) kubetest.Fault {
					if isCreate(q) && posts.Add(1) == 1 && c.lost {
						return kubetest.Cut // it may be obeyed later, as far as the coordinator knows
					}
					return kubetest.Fault{}
				}
				end := r.start(s, "one", io.Discard).wait(t)
				if n := s.writes.Load(); n != c.writes || end.Status != record.Succeeded || end.Steps[0].Attempts != c.attempts {
					t.Errorf("%d results were written, and the run ended %s with %d attempts", n, end.Status, end.Steps[0].Attempts)
				}
				key := (&record.Run{Namespace: "ns", Pipeline: "p", Name: "run"}).AttemptDir("a", 1) + "/result.json"
				if got, err := store.ReadJSON[record.Result](t.Context(), r.store, key); (err == nil && got.GivenUp) != (c.lost && c.commits == nil) {
					t.Errorf("the result of attempt 1 is %+v, %v", got, err)
				}
			})
		})
	}
}
