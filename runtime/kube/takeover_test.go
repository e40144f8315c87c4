package kube

import (
	"context"
	"errors"
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
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// oneStep returns a program with one step, which may be repeated after failures of the infrastructure.
func oneStep(infrastructure int) *program.Program {
	return &program.Program{OnFailure: "continue", MaxParallel: 4, Steps: []program.Step{
		{Name: "a", Retry: program.Retry{Attempts: 1, Infrastructure: infrastructure}},
	}}
}

// run is a coordinator that a test started.
type run struct {
	end  *record.End
	err  error
	done chan struct{}
	kill context.CancelFunc
}

// start runs a coordinator beside the test, for two hours at most.
func (r *rig) start(s store.Store, pod string, out io.Writer) *run {
	ctx, kill := context.WithTimeout(r.t.Context(), 2*time.Hour)
	c := &run{done: make(chan struct{}), kill: kill}
	r.t.Cleanup(kill)
	go func() {
		defer close(c.done)
		c.end, c.err = r.coordinate(ctx, s, pod, out)
	}()
	return c
}

// wait returns the end of the run.
func (c *run) wait(t *testing.T) *record.End {
	t.Helper()
	<-c.done
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c.end
}

// live returns the names of the pods that run.
func (r *rig) live() (out []string) {
	for _, p := range kubetest.All[*corev1.Pod](r.api, "pods") {
		if p.Status.Phase == corev1.PodRunning {
			out = append(out, p.Name)
		}
	}
	return out
}

// podName returns the name of an attempt's pod.
func podName(step string, attempt int) string { return kube.PodName("job", step, attempt) }

// untilDeleted blocks while the pod exists and its deletion was not requested, for an hour at most.
func (r *rig) untilDeleted(name string) {
	for end := time.Now().Add(time.Hour); r.t.Context().Err() == nil && time.Now().Before(end); {
		if p, ok := kubetest.Find[*corev1.Pod](r.api, "pods", name); !ok || p.DeletionTimestamp != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestVanishedAndCrashed: the pod of an attempt vanishes, the next attempt starts, and the coordinator is killed at once. The
// successor continues the second attempt, and doesn't create the pod of the first one again. The same holds if the log has
// not recorded the end of the first attempt.
func TestVanishedAndCrashed(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		inBubble(t, map[bool]string{false: "log", true: "no log"}[lossy], func(t *testing.T) {
			r := newRig(t, oneStep(5))
			second, finish := make(chan struct{}), make(chan struct{})
			r.runs = func(p corev1.Pod) {
				switch p.Name {
				case podName("a", 1):
					time.Sleep(100 * time.Millisecond) // the watch sees it
					if r.api.Made()[p.Name] > 1 {
						<-finish
					}
				case podName("a", 2):
					close(second)
					<-finish
				}
			}
			r.outcome = func(_ string, attempt int) *record.Result {
				if attempt == 1 {
					return nil
				}
				return &record.Result{Status: record.Succeeded}
			}
			s := &crashStore{Store: r.store, lossy: lossy}
			first := r.start(s, "one", io.Discard)
			<-second
			s.dead.Store(true)
			first.kill()
			<-first.done
			next := r.start(r.store, "one", io.Discard)
			time.Sleep(time.Minute)
			if live := r.live(); len(live) != 1 || live[0] != podName("a", 2) {
				t.Errorf("these pods run: %v", live)
			}
			close(finish)
			end := next.wait(t)
			if s := end.Steps[0]; s.Status != record.Succeeded || s.Attempts != 2 {
				t.Errorf("%+v", s)
			}
			for name, n := range r.api.Made() {
				if n != 1 {
					t.Errorf("the pod %s was created %d times", name, n)
				}
			}
		})
	}
}

// crashStore is a store that a killed coordinator can't write to any more. If it is lossy, it forgets the segments of the
// log.
type crashStore struct {
	store.Store
	dead  atomic.Bool
	lossy bool
}

func (s *crashStore) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	switch {
	case s.dead.Load():
		return errors.New("the coordinator is dead")
	case s.lossy && strings.Contains(key, "/log/"):
		return nil
	}
	return s.Store.Put(ctx, key, r, mode)
}

// TestUnloggedEnds: pods that follow an end without a committed result are created when the log contains the end, however
// many wait for that.
func TestUnloggedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &program.Program{OnFailure: "continue", MaxParallel: 50}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			p.Steps = append(p.Steps, program.Step{Name: name, Retry: program.Retry{Attempts: 1, Infrastructure: 3}})
		}
		r := newRig(t, p)
		r.outcome = func(_ string, attempt int) *record.Result {
			if attempt < 3 {
				return nil
			}
			return &record.Result{Status: record.Succeeded}
		}
		end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range end.Steps {
			if s.Status != record.Succeeded || s.Attempts != 3 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// TestCancelledWhileDown: a request to cancel that comes while no coordinator runs ends the attempts that the successor
// adopts, whichever of the pods and the Job it reads first.
func TestCancelledWhileDown(t *testing.T) {
	for what, slow := range map[string]string{"pods first": "/jobs", "job first": "/pods"} {
		inBubble(t, what, func(t *testing.T) {
			r := newRig(t, oneStep(0))
			running := make(chan struct{})
			r.runs = func(p corev1.Pod) { close(running); r.untilDeleted(p.Name) }
			r.outcome = func(string, int) *record.Result { return nil }
			var second atomic.Bool
			r.api.Fault = func(q *http.Request) kubetest.Fault {
				if second.Load() && q.Method == http.MethodGet && strings.HasSuffix(q.URL.Path, slow) && q.URL.Query().Get("watch") == "" {
					time.Sleep(50 * time.Millisecond)
				}
				return kubetest.Fault{}
			}
			first := r.start(r.store, "one", io.Discard)
			<-running
			time.Sleep(2 * time.Second) // the log is written
			first.kill()
			<-first.done
			r.annotate(kube.AnnotationCancel, "now")
			second.Store(true)
			begun := time.Now()
			end := r.start(r.store, "one", io.Discard).wait(t)
			if took := time.Since(begun); end.Status != record.Cancelled || took > 5*time.Second || r.api.Deletes()[podName("a", 1)] != 1 {
				t.Errorf("after %s the run ended %+v, deletes: %v", took, end, r.api.Deletes())
			}
		})
	}
}
