package groups

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

// host is a loop without a driver.
type host struct {
	ctx    context.Context
	inbox  chan func()
	events chan record.Event // that the engine would get
	work   sync.WaitGroup
	taken  atomic.Bool // another coordinator drives the run
}

func (h *host) Async(work func(context.Context) func()) {
	h.work.Go(func() {
		if f := work(h.ctx); f != nil {
			h.Post(f)
		}
	})
}

func (h *host) Post(f func()) {
	select {
	case h.inbox <- f:
	case <-h.ctx.Done():
	}
}

func (h *host) Feed(e record.Event)             { h.events <- e }
func (h *host) Notify(record.Event)             {}
func (h *host) Logged(ctx context.Context) bool { return ctx.Err() == nil }

func (h *host) MayAct(context.Context) (time.Time, error) {
	if h.taken.Load() {
		return time.Time{}, journal.ErrTakenOver
	}
	return time.Now().Add(time.Hour), nil
}

// newRun returns the groups of a run, whose loop ends with the test.
func newRun(t *testing.T, api *kubetest.API, job string) (*Groups, *host) {
	ctx, stop := context.WithCancel(t.Context())
	h := &host{ctx: ctx, inbox: make(chan func(), 16), events: make(chan record.Event, 16)}
	t.Cleanup(func() { stop(); h.work.Wait() })
	api.PutJob(job)
	g := New(&Options{
		Client: api.Client(kubetest.Namespace), Requests: requests.New(0), Project: "x", Namespace: kubetest.Namespace, Job: job, JobUID: kubetest.JobUID(job),
	}, h)
	h.work.Go(func() {
		for {
			select {
			case f := <-h.inbox:
				f()
			case <-ctx.Done():
				return
			}
		}
	})
	return g, h
}

func slot(step string) engine.Slot {
	return engine.Slot{Group: "gpu", Step: step, Attempt: 1, Limit: 1}
}

// lease returns the annotations of the group's Lease; nil: there is none.
func lease(api *kubetest.API) map[string]string {
	l, ok := kubetest.Find[*coordinationv1.Lease](api, "leases", kube.GroupLease("x", "gpu"))
	if !ok {
		return nil
	}
	return l.Annotations
}

// TestTurns: of two runs one waits in the queue until the other has released its slot, and the Lease is removed at the end.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := kubetest.New(t)
		a, atA := newRun(t, api, "a")
		b, atB := newRun(t, api, "b")
		atA.Post(func() { a.Request(engine.RequestSlot{Slot: slot("s")}) })
		if e := <-atA.events; e.Type != record.GroupEntered {
			t.Fatalf("a: %+v", e)
		}
		atB.Post(func() { b.Request(engine.RequestSlot{Slot: slot("s")}) })
		synctest.Wait()
		if l := lease(api); len(atB.events) > 0 || !strings.Contains(l[kube.AnnotationWaiting], kubetest.JobUID("b")) || !strings.Contains(l[kube.AnnotationHolders], kubetest.JobUID("a")) {
			t.Fatalf("b doesn't wait: %v", l)
		}
		atA.Post(func() { a.Release(slot("s")) })
		if e := <-atB.events; e.Type != record.GroupEntered {
			t.Fatalf("b: %+v", e)
		}
		atB.Post(func() { b.Release(slot("s")) })
		synctest.Wait()
		if l := lease(api); l != nil {
			t.Errorf("at the end there is %v", l)
		}
	})
}

// TestLinger: a slot is not released while a pod is running that may use it.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := kubetest.New(t)
		g, h := newRun(t, api, "a")
		h.Post(func() { g.Request(engine.RequestSlot{Slot: slot("s")}) })
		<-h.events
		h.Post(func() {
			g.Linger("p", "u", []engine.Slot{slot("s")})
			g.Release(slot("s"))
		})
		time.Sleep(time.Hour)
		if l := lease(api); !strings.Contains(l[kube.AnnotationHolders], kubetest.JobUID("a")) {
			t.Fatalf("the slot was released: %v", l)
		}
		h.Post(func() { g.Pod(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "u"}}, true) })
		synctest.Wait()
		if l := lease(api); l != nil {
			t.Errorf("at the end there is %v", l)
		}
	})
}

// TestDeparted: a slot is taken over from a run whose Job is gone, but not while its coordinator or a pod of its in the group
// runs, however long that takes.
func TestDeparted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := kubetest.New(t)
		a, atA := newRun(t, api, "a")
		b, atB := newRun(t, api, "b")
		atA.Post(func() { a.Request(engine.RequestSlot{Slot: slot("s")}) })
		<-atA.events
		api.PutCoordinator("coordinator", "a")
		api.PutStep("step", "a", map[string]string{Label("x", "gpu"): "gpu"})
		atB.Post(func() { b.Request(engine.RequestSlot{Slot: slot("s")}) })
		for _, gone := range [][2]string{{"jobs", "a"}, {"pods", "coordinator"}, {"pods", "step"}} {
			time.Sleep(24 * time.Hour)
			if len(atB.events) > 0 {
				t.Fatalf("the slot was taken before the end of %s %s", gone[0], gone[1])
			}
			api.Remove(gone[0], gone[1])
		}
		if e := <-atB.events; e.Type != record.GroupEntered {
			t.Errorf("b: %+v", e)
		}
	})
}

// TestTakenOver: a coordinator that was taken over changes no Lease, neither to take a slot nor to release one, and passes no
// event to the engine.
func TestTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := kubetest.New(t)
		g, h := newRun(t, api, "a")
		h.taken.Store(true)
		h.Post(func() { g.Request(engine.RequestSlot{Slot: slot("s")}) })
		time.Sleep(time.Hour)
		if l := lease(api); l != nil || len(h.events) > 0 {
			t.Errorf("a slot was taken: %v; %d events", l, len(h.events))
		}
		h.taken.Store(false)
		h.Post(func() { g.Request(engine.RequestSlot{Slot: slot("r")}) })
		<-h.events
		h.taken.Store(true)
		h.Post(func() { g.Release(slot("r")) })
		time.Sleep(time.Hour)
		if l := lease(api); !strings.Contains(l[kube.AnnotationHolders], kubetest.JobUID("a")) {
			t.Errorf("the slot was released: %v", l)
		}
	})
}
