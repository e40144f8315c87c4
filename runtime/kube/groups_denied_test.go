package kube

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// TestGroupUnwritable: a slot is not taken if the Lease can't be written, whatever the server answers. A request that was
// obeyed although its answer was lost leaves no entry behind.
func TestGroupUnwritable(t *testing.T) {
	for what, fault := range map[string]kubetest.Fault{
		"unauthorized": {Code: 401, Reason: "Unauthorized", Message: "no"},
		"forbidden":    {Code: 403, Reason: "Forbidden", Message: "no"},
		"invalid":      {Code: 422, Reason: "Invalid", Message: "no"},
	} {
		for how, silent := range map[string]kubetest.Fault{"not obeyed": {}, "obeyed, and the answer is lost": kubetest.Lost, "obeyed, and no answer comes": kubetest.Mute} {
			inBubble(t, what+", "+how, func(t *testing.T) {
				r, c := grouped(t, 3, 1)
				r.pace = 0
				r.api.PutJob("run-0")
				lost, over := silent.Obeyed, time.Now().Add(10*time.Minute)
				var mu sync.Mutex
				r.api.Fault = func(q *http.Request) kubetest.Fault {
					mu.Lock()
					defer mu.Unlock()
					writes := q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/leases") || q.Method == http.MethodPut
					group := q.Method == http.MethodPost || strings.HasSuffix(q.URL.Path, kube.GroupLease("x", "gpu"))
					_, held := kubetest.Find[*coordinationv1.Lease](r.api, "leases", "run-0")
					switch {
					case !writes || !group || !held || time.Now().After(over):
						return kubetest.Fault{}
					case lost:
						lost = false
						return silent
					}
					return fault
				}
				end, err := r.coordinateAs(t.Context(), "run-0", &deadStore{Store: r.store}, io.Discard)
				if err != nil {
					t.Fatal(err)
				}
				if c.max > 1 {
					t.Errorf("%d steps were in the group at once", c.max)
				}
				for _, s := range end.Steps {
					if c.all == 0 && (s.Status != record.Failed || s.Reason != record.ReasonGroup) {
						t.Errorf("%+v", s)
					}
				}
				r.noGroups()
			})
		}
	}
}

// TestGroupDeniedRelease: a slot whose release the server denies for a while is released then, and the run's next step enters.
func TestGroupDeniedRelease(t *testing.T) {
	for what, fault := range map[string]kubetest.Fault{
		"unauthorized": {Code: 401, Reason: "Unauthorized"},
		"forbidden":    {Code: 403, Reason: "Forbidden"},
	} {
		inBubble(t, what, func(t *testing.T) {
			r, c := grouped(t, 3, 1)
			r.pace = 0
			r.api.PutJob("run-0")
			var mu sync.Mutex
			var since time.Time
			r.api.Fault = func(q *http.Request) kubetest.Fault {
				if q.Method != http.MethodPut && q.Method != http.MethodDelete || !strings.HasSuffix(q.URL.Path, kube.GroupLease("x", "gpu")) {
					return kubetest.Fault{}
				}
				c.mu.Lock()
				runs := c.all > 0
				c.mu.Unlock()
				mu.Lock()
				defer mu.Unlock()
				if runs && since.IsZero() {
					since = time.Now()
				}
				if !since.IsZero() && time.Since(since) < 45*time.Second {
					return fault
				}
				return kubetest.Fault{}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			end, err := r.coordinateAs(ctx, "run-0", &deadStore{Store: r.store}, io.Discard)
			if err != nil || end.Status != record.Succeeded || c.max != 1 {
				t.Errorf("%+v, %v; %d were in at once", end, err, c.max)
			}
			r.noGroups()
		})
	}
}

// TestGroupRejectedRelease: a release that the server rejects once is repeated, so that the run's next step enters.
func TestGroupRejectedRelease(t *testing.T) {
	inBubble(t, "invalid", func(t *testing.T) {
		r, c := grouped(t, 3, 1)
		r.pace = 0
		r.api.PutJob("run-0")
		rejected := false
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if q.Method != http.MethodPut || !strings.HasSuffix(q.URL.Path, kube.GroupLease("x", "gpu")) || r.inGroup() > 0 {
				return kubetest.Fault{}
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.all == 0 || rejected {
				return kubetest.Fault{}
			}
			rejected = true
			return kubetest.Fault{Code: 422, Reason: "Invalid"}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		end, err := r.coordinateAs(ctx, "run-0", &deadStore{Store: r.store}, io.Discard)
		if err != nil || end.Status != record.Succeeded || c.max != 1 || !rejected {
			t.Errorf("%+v, %v; %d were in at once; rejected: %v", end, err, c.max, rejected)
		}
		r.noGroups()
	})
}

// TestGroupUnanswered: a slot of a run that is gone is taken over although the first request for its Job is never answered.
func TestGroupUnanswered(t *testing.T) {
	inBubble(t, "job", func(t *testing.T) {
		r, _ := grouped(t, 1, 1)
		r.api.PutJob("run-0")
		r.seat(kube.AnnotationHolders, member("old"))
		var asked atomic.Int64
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if strings.HasSuffix(q.URL.Path, "/jobs/old") && asked.Add(1) == 1 {
				return kubetest.Fault{Delay: 24 * time.Hour}
			}
			return kubetest.Fault{}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		end, err := r.coordinateAs(ctx, "run-0", &deadStore{Store: r.store}, io.Discard)
		if err != nil || end.Status != record.Succeeded || asked.Load() < 2 {
			t.Errorf("%+v, %v; the Job was read %d times", end, err, asked.Load())
		}
		r.noGroups()
	})
}
