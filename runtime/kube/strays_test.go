package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// eventOf decodes a line that a coordinator prints.
func eventOf(line string) (e record.Event) {
	_ = json.Unmarshal([]byte(line), &e)
	return e
}

// TestStrays: a coordinator dies before its log is written, and its successor decides otherwise: the result is in the cache
// meanwhile, or the run was cancelled. The pod of the first one is deleted before the run ends.
func TestStrays(t *testing.T) {
	for what, change := range map[string]func(*testing.T, *rig){
		"cached":    fillCache,
		"cancelled": func(_ *testing.T, r *rig) { r.annotate(kube.AnnotationCancel, "now") },
	} {
		inBubble(t, what, func(t *testing.T) {
			p := oneStep(3)
			p.Steps[0].Cache, p.Steps[0].ImageDigest = &program.Cache{}, "sha256:"+strings.Repeat("a", 64)
			p.Steps[0].Outputs = []program.Output{{Name: "n", Type: "number", Optional: true}}
			r := newRig(t, p)
			running := make(chan struct{})
			r.runs = func(p corev1.Pod) { close(running); r.untilDeleted(p.Name) }
			r.outcome = func(string, int) *record.Result { return nil }
			s := &crashStore{Store: r.store}
			first := r.start(s, "one", io.Discard)
			<-running
			s.dead.Store(true)
			first.kill()
			<-first.done
			change(t, r)
			next := r.start(r.store, "one", io.Discard)
			next.wait(t)
			if r.api.Deletes()[podName("a", 1)] != 1 || r.api.Made()[podName("a", 1)] != 1 {
				t.Errorf("the run ended %+v, deletes: %v", next.end, r.api.Deletes())
			}
		})
	}
}

// fillCache stores the result of step a in the cache, as another run does.
func fillCache(t *testing.T, r *rig) {
	run := &record.Run{Version: 1, Namespace: "ns", Pipeline: "p", Name: "run", UID: "job"}
	state, err := engine.New(r.program, run, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, actions := engine.Next(state, record.Event{Type: record.RunStarted})
	for _, a := range actions {
		if c, ok := a.(engine.CheckCache); ok {
			c.Spec.Attempt = 1
			task := taskOf(run, &c.Spec)
			_, slot := cache.Lookup(t.Context(), r.store, "ns", step.ImageKey(task, task.Program.ImageDigest).Digest, 0)
			if err := cache.Keep(t.Context(), r.store, slot, &record.Result{Version: 1, Status: record.Succeeded, Run: "other", Step: "a", Attempt: 1}); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("the cache is not queried")
}

// TestGoneUnseen: a pod that is created and vanishes while the watch is interrupted is found to be gone when the watch lists
// again.
func TestGoneUnseen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(1))
		var blind, first, listed atomic.Bool
		blind.Store(true)
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			switch {
			case isCreate(q):
				time.Sleep(time.Second) // the watch has listed before
				return kubetest.Fault{}
			case !strings.HasSuffix(q.URL.Path, "/pods"):
				return kubetest.Fault{}
			case blind.Load():
				if q.URL.Query().Get("watch") == "" && !first.Swap(true) {
					return kubetest.Fault{}
				}
				return kubetest.Broken
			case q.URL.Query().Get("watch") == "":
				return kubetest.Fault{}
			case !listed.Swap(true): // the server has forgotten the version: the watch lists again
				return kubetest.Expired
			}
			return kubetest.Fault{}
		}
		r.runs = func(p corev1.Pod) {
			if p.Name == podName("a", 1) {
				time.Sleep(20 * time.Second) // the create was answered
			}
		}
		r.outcome = func(_ string, attempt int) *record.Result {
			if attempt > 1 {
				return &record.Result{Status: record.Succeeded}
			}
			return nil
		}
		begun := time.Now()
		c := r.start(r.store, "one", io.Discard)
		time.Sleep(time.Minute)
		blind.Store(false)
		end := c.wait(t)
		if s, took := end.Steps[0], time.Since(begun); s.Status != record.Succeeded || s.Attempts != 2 || took > 3*time.Minute {
			t.Errorf("after %s: %+v", took, s)
		}
	})
}

// many returns a program of many steps.
func many(steps, parallel int) *program.Program {
	p := &program.Program{OnFailure: "continue", MaxParallel: parallel}
	for i := range steps {
		p.Steps = append(p.Steps, program.Step{Name: fmt.Sprintf("s%03d", i), Retry: program.Retry{Attempts: 1, Infrastructure: 2}})
	}
	return p
}

// TestSweep: the pods of a big run are deleted when it has ended, also those of a coordinator that was stopped. The pods of a
// small run stay.
func TestSweep(t *testing.T) {
	for _, c := range []struct {
		steps, left int
		restart     bool
	}{{bigRun + 10, 0, false}, {bigRun + 10, 0, true}, {20, 20, false}, {20, 20, true}} {
		inBubble(t, fmt.Sprintf("%d steps, restart %v", c.steps, c.restart), func(t *testing.T) {
			r := newRig(t, many(c.steps, 20))
			var once sync.Once
			half := make(chan struct{})
			r.runs = func(p corev1.Pod) {
				if p.Name == podName(fmt.Sprintf("s%03d", c.steps/2), 1) {
					once.Do(func() { close(half) })
				}
			}
			first := r.start(r.store, "one", io.Discard)
			if c.restart {
				<-half
				first.kill()
				<-first.done
				first = r.start(r.store, "one", io.Discard)
			}
			if end := first.wait(t); end.Status != record.Succeeded {
				t.Errorf("%+v", end)
			}
			if n := len(kubetest.All[*corev1.Pod](r.api, "pods")); n != c.left {
				t.Errorf("%d pods are left", n)
			}
		})
	}
}

// TestRefusedByNode: a step whose pods are refused by nodes is repeated after growing pauses.
func TestRefusedByNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(3))
		r.api.Kubelet = func(pod corev1.Pod) {
			kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
				p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "OutOfcpu", "Node didn't have enough resource: cpu"
			})
		}
		begun := time.Now()
		end := r.start(r.store, "one", io.Discard).wait(t)
		if s, took := end.Steps[0], time.Since(begun); s.Attempts != 4 || took < 18*time.Second || took > time.Minute {
			t.Errorf("after %s: %+v", took, s)
		}
	})
}
