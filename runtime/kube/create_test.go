package kube

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestMakerEnds: the answer to the creation of a pod is lost, the pod is seen and vanishes, and the next attempt starts. The
// first attempt's pod is not created again.
func TestMakerEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(5))
		most := 0
		r.runs = func(p corev1.Pod) {
			most = max(most, len(r.live()))
			if p.Name == podName("a", 1) && r.api.Made()[p.Name] == 1 {
				time.Sleep(time.Second)
				return
			}
			time.Sleep(time.Minute)
		}
		r.outcome = func(_ string, attempt int) *record.Result {
			if attempt == 1 {
				return nil
			}
			return &record.Result{Status: record.Succeeded}
		}
		var posts atomic.Int64
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if isCreate(q) && posts.Add(1) == 1 {
				return kubetest.Fault{Delay: time.Hour} // obeyed, and the answer doesn't come
			}
			return kubetest.Fault{}
		}
		end := r.start(r.store, "one", io.Discard).wait(t)
		if made := r.api.Made(); made[podName("a", 1)] != 1 || made[podName("a", 2)] != 1 || most != 1 || end.Status != record.Succeeded {
			t.Errorf("pods were created: %v, at once %d ran; %+v", made, most, end)
		}
	})
}

// TestCreateAnswers: which answers to the creation of a pod pass, which end the attempt, as whose failure, and when.
func TestCreateAnswers(t *testing.T) {
	pod := fmt.Sprintf("pods %q is forbidden: ", podName("a", 1))
	for what, c := range map[string]struct {
		fault  kubetest.Fault
		lasts  time.Duration
		want   string // of the attempt's result
		at     time.Duration
		within time.Duration // pending_timeout
	}{
		"401 for a moment":        {kubetest.Fault{Code: 401, Reason: "Unauthorized", Message: "Unauthorized"}, 20 * time.Second, "succeeded//", 0, 0},
		"403 for a moment":        {kubetest.Fault{Code: 403, Reason: "Forbidden", Message: "pods is forbidden"}, 20 * time.Second, "succeeded//", 0, 0},
		"401":                     {kubetest.Fault{Code: 401, Reason: "Unauthorized", Message: "Unauthorized"}, 10 * time.Hour, "failed/infrastructure/StartError", time.Minute, 0},
		"403":                     {kubetest.Fault{Code: 403, Reason: "Forbidden", Message: "pods is forbidden"}, 10 * time.Hour, "failed/infrastructure/StartError", time.Minute, 0},
		"a terminating namespace": {kubetest.Fault{Code: 403, Reason: "Forbidden", Message: pod + "unable to create new content in namespace ns because it is being terminated"}, 10 * time.Hour, "failed/infrastructure/StartError", time.Minute, 0},
		"Pod Security":            {kubetest.Fault{Code: 403, Reason: "Forbidden", Message: pod + "violates PodSecurity"}, 10 * time.Hour, "failed/user/PodRejected", 0, 0},
		"a webhook":               {kubetest.Fault{Code: 403, Reason: "Forbidden", Message: `admission webhook "w" denied the request: no`}, 10 * time.Hour, "failed/user/PodRejected", 0, 0},
		"a new quota":             {kubetest.Fault{Code: 403, Reason: "Forbidden", Message: pod + "status unknown for quota: q, resources: pods"}, 20 * time.Second, "succeeded//", 0, 0},
		"422":                     {kubetest.Fault{Code: 422, Reason: "Invalid", Message: "spec"}, 10 * time.Hour, "failed/user/PodRejected", 0, 0},
		"500":                     {kubetest.Broken, 10 * time.Hour, "failed/infrastructure/StartError", 30 * time.Minute, 0},
		"500 within a time":       {kubetest.Broken, 10 * time.Hour, "failed/infrastructure/StartError", 3 * time.Minute, 3 * time.Minute},
		"500 for a while":         {kubetest.Broken, 2 * time.Minute, "succeeded//", 0, 3 * time.Minute},
		"429":                     {kubetest.Busy, 10 * time.Hour, "failed/infrastructure/StartError", 3 * time.Minute, 3 * time.Minute},
		"409":                     {kubetest.Fault{Code: 409, Reason: "Conflict", Message: "no"}, 20 * time.Second, "succeeded//", 0, 0},
	} {
		inBubble(t, what, func(t *testing.T) {
			p := oneStep(0)
			p.Steps[0].PendingTimeout = program.Duration(c.within)
			r := newRig(t, p)
			r.pace = 0
			begun := time.Now()
			r.api.Fault = func(q *http.Request) kubetest.Fault {
				if isCreate(q) && time.Since(begun) < c.lasts {
					return c.fault
				}
				return kubetest.Fault{}
			}
			got, at := "", time.Duration(0)
			out := hearing{func(line string) {
				if e := eventOf(line); e.Type == record.AttemptEnded {
					got, at = fmt.Sprintf("%s/%s/%s", e.Result.Status, e.Result.Class, e.Result.Reason), time.Since(begun)
				}
			}}
			r.start(r.store, "one", out).wait(t)
			if late := at - c.at; got != c.want || c.at > 0 && (late < 0 || late > 30*time.Second) {
				t.Errorf("the attempt ended %s after %s", got, at)
			}
		})
	}
}

// TestLateCreation: the pod of an attempt that was cancelled is created after that, because a request was obeyed late. It is
// deleted before the run ends.
func TestLateCreation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(3))
		r.runs = func(p corev1.Pod) { r.untilDeleted(p.Name) }
		r.outcome = func(string, int) *record.Result { return nil }
		const late = "Pipec-Test-Late"
		var posts atomic.Int64
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if !isCreate(q) || q.Header.Get(late) != "" {
				return kubetest.Fault{}
			}
			if posts.Add(1) > 1 {
				return kubetest.Broken
			}
			body, _ := io.ReadAll(q.Body)
			again := q.Clone(context.Background())
			again.Header.Set(late, "yes")
			again.Body = io.NopCloser(bytes.NewReader(body))
			r.api.Go(func() {
				time.Sleep(10 * time.Millisecond)
				r.annotate("pipec.dev/cancel", "now")
				time.Sleep(10 * time.Second)
				if answer, err := r.api.RoundTrip(again); err != nil || answer.StatusCode != 201 {
					t.Errorf("%+v, %v", answer, err)
				}
			})
			return kubetest.Cut
		}
		end := r.start(r.store, "one", io.Discard).wait(t)
		if end.Status != record.Cancelled || len(r.live()) > 0 || len(r.api.Made()) != 1 {
			t.Errorf("the run ended %+v; made %v; %v run", end, r.api.Made(), r.live())
		}
	})
}

// TestWaitingCreations: pods that wait for the namespace's quota don't keep others from being created, however many they are.
func TestWaitingCreations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &program.Program{OnFailure: "continue", MaxParallel: 1000}
		for i := range 100 {
			p.Steps = append(p.Steps, program.Step{Name: fmt.Sprintf("s%02d", i), Retry: program.Retry{Attempts: 1}})
		}
		p.Steps = append(p.Steps, program.Step{Name: "z", Retry: program.Retry{Attempts: 1}})
		r := newRig(t, p)
		r.pace = 0
		begun, at := time.Now(), time.Duration(0)
		r.runs = func(p corev1.Pod) {
			if p.Name == podName("z", 1) {
				at = time.Since(begun)
			}
		}
		var now, most atomic.Int64
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if !isCreate(q) {
				return kubetest.Fault{}
			}
			n := now.Add(1)
			defer now.Add(-1)
			most.Store(max(most.Load(), n))
			time.Sleep(20 * time.Millisecond)
			body, _ := io.ReadAll(q.Body)
			q.Body = io.NopCloser(bytes.NewReader(body))
			if time.Since(begun) < 10*time.Minute && !strings.Contains(string(body), podName("z", 1)) {
				return kubetest.Fault{Code: 403, Reason: "Forbidden", Message: "exceeded quota: pods"}
			}
			return kubetest.Fault{}
		}
		end := r.start(r.store, "one", io.Discard).wait(t)
		if end.Status != record.Succeeded || at == 0 || at > 10*time.Second || most.Load() > changes {
			t.Errorf("the run ended %s; the pod that need not wait ran after %s; %d requests were sent at once", end.Status, at, most.Load())
		}
	})
}

// TestCancelledCreations: of a run that is cancelled while creations of pods wait for their turn, no further pod is created.
func TestCancelledCreations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &program.Program{MaxParallel: 1000}
		for i := range 100 {
			p.Steps = append(p.Steps, program.Step{Name: fmt.Sprintf("s%02d", i), Retry: program.Retry{Attempts: 1}})
		}
		r := newRig(t, p)
		r.runs = func(p corev1.Pod) { r.untilDeleted(p.Name) }
		r.outcome = func(string, int) *record.Result { return nil }
		var posts atomic.Int64
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if !isCreate(q) {
				return kubetest.Fault{}
			}
			if posts.Add(1) == 1 {
				r.annotate(kube.AnnotationCancel, "now")
			}
			time.Sleep(10 * time.Second)
			return kubetest.Fault{}
		}
		end := r.start(r.store, "one", io.Discard).wait(t)
		if made := len(r.api.Made()); end.Status != record.Cancelled || made != changes || posts.Load() != changes || len(r.live()) > 0 {
			t.Errorf("the run ended %s; %d requests have created %d pods; %v run", end.Status, posts.Load(), made, r.live())
		}
	})
}
