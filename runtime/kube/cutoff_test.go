package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func isCreate(q *http.Request) bool {
	return q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/pods")
}

func isDelete(q *http.Request) bool {
	return q.Method == http.MethodDelete && strings.Contains(q.URL.Path, "/pods/")
}

// partition is how a network fails.
type partition int

const (
	silent      partition = iota // nothing arrives, and nobody reports an error, as in a real partition
	unreachable                  // requests fail at once
	frozen                       // the process is frozen: its requests hang until it continues
)

// link is the network of one coordinator. From the first creation of a pod on it is cut. When it works again, requests to create
// pods are the first to succeed.
type link struct {
	network *kubetest.Network
	how     partition
	mu      sync.Mutex
	cut     chan struct{} // closed when it is cut
	whole   chan struct{} // closed when it works again
	since   time.Time     // when it works again; set before whole is closed
}

// repair makes the network work again.
func (l *link) repair() {
	l.since = time.Now()
	close(l.whole)
	l.network.Repair()
}

func newLink(api *kubetest.API, how partition) *link {
	return &link{network: api.Network(), how: how, cut: make(chan struct{}), whole: make(chan struct{})}
}

func (l *link) RoundTrip(q *http.Request) (*http.Response, error) {
	l.mu.Lock()
	if isCreate(q) && !closed(l.cut) {
		close(l.cut)
		if l.how == silent {
			l.network.Cut()
		}
	}
	l.mu.Unlock()
	if closed(l.cut) && !closed(l.whole) {
		switch l.how {
		case unreachable:
			return nil, errors.New("no route to host")
		case frozen:
			<-l.whole
			if q.Context().Err() != nil {
				return nil, q.Context().Err()
			}
		}
	}
	if closed(l.whole) && !isCreate(q) && time.Since(l.since) < 40*time.Second {
		return nil, errors.New("no route to host")
	}
	return l.network.RoundTrip(q)
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestCutOff: a coordinator that was cut off, or frozen, creates no pod when it is back: its successor has ended the run. That
// holds as well if somebody has deleted the Lease, which says so.
func TestCutOff(t *testing.T) {
	for what, c := range map[string]struct {
		how     partition
		deleted bool
	}{
		"cut off": {}, "cut off with errors": {how: unreachable}, "frozen": {how: frozen}, "cut off, and no Lease is left": {deleted: true},
	} {
		inBubble(t, what, func(t *testing.T) {
			r := newRig(t, oneStep(3))
			r.runs = func(p corev1.Pod) { r.untilDeleted(p.Name) }
			r.outcome = func(string, int) *record.Result { return nil }
			l := newLink(r.api, c.how)
			client, err := kubeclient.New(&rest.Config{Host: "http://cluster", Transport: l}, "ns")
			if err != nil {
				t.Fatal(err)
			}
			stale := make(chan error, 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			go func() {
				_, err := Coordinate(ctx, Options{Client: client, Store: r.store, Program: r.encoded, Namespace: "ns", Job: "run", JobUID: "job", Pod: "one", PodUID: "one", Out: io.Discard})
				stale <- err
			}()
			<-l.cut
			time.Sleep(2 * time.Second) // its log is written, and it has nothing to add
			next := r.start(r.store, "two", io.Discard)
			time.Sleep(time.Minute)
			if len(r.live()) != 1 {
				t.Fatalf("these pods run: %v", r.live())
			}
			r.annotate(kube.AnnotationCancel, "now")
			if end := next.wait(t); end.Status != record.Cancelled {
				t.Errorf("%+v", end)
			}
			made := r.api.Made()[podName("a", 1)]
			if c.deleted {
				r.api.Remove("leases", "run")
			}
			l.repair()
			if err := <-stale; !errors.Is(err, ErrTakenOver) {
				t.Errorf("the coordinator that was cut off ended with %v", err)
			}
			if n := r.api.Made()[podName("a", 1)]; n != made || len(r.live()) > 0 {
				t.Errorf("%d pods were created, and then %d; %v run", made, n, r.live())
			}
		})
	}
}

// TestForcedAway: a successor of a coordinator whose pod was deleted by force waits until the Lease has expired: the process
// may still run. It waits as long if somebody has deleted the Lease.
func TestForcedAway(t *testing.T) {
	for what, deleted := range map[string]bool{"a Lease": false, "no Lease": true} {
		for how, partition := range map[string]partition{"in silence": silent, "with errors": unreachable} {
			inBubble(t, what+", cut off "+how, func(t *testing.T) { forcedAway(t, partition, deleted) })
		}
	}
}

func forcedAway(t *testing.T, how partition, deleted bool) {
	r := newRig(t, oneStep(3))
	l := newLink(r.api, how)
	client, err := kubeclient.New(&rest.Config{Host: "http://cluster", Transport: l}, "ns")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	stale := make(chan error, 1)
	go func() {
		_, err := Coordinate(ctx, Options{Client: client, Store: r.store, Program: r.encoded, Namespace: "ns", Job: "run", JobUID: "job", Pod: "one", PodUID: "one", Out: io.Discard})
		stale <- err
	}()
	<-l.cut
	if deleted {
		r.api.Remove("leases", "run")
	}
	begun := time.Now()
	next := r.start(r.store, "two", io.Discard)
	next.wait(t)
	if took := time.Since(begun); took < fenceAfter || took > 2*leaseExpiry {
		t.Errorf("the successor has ended the run after %s", took)
	}
	l.repair()
	<-stale
}

// TestLeaseDeleted: a coordinator whose Lease was deleted creates it again, and continues.
func TestLeaseDeleted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := oneStep(3)
		p.Steps = append(p.Steps, program.Step{Name: "b", Retry: program.Retry{Attempts: 1}, Needs: []program.Need{{Step: "a", Kind: program.NeedOrder}}})
		r := newRig(t, p)
		r.runs = func(p corev1.Pod) {
			if p.Name == podName("a", 1) {
				r.api.Remove("leases", "run")
				time.Sleep(time.Minute)
			}
		}
		if end := r.start(r.store, "one", io.Discard).wait(t); end.Status != record.Succeeded {
			t.Errorf("%+v", end)
		}
	})
}

// slowStore is a store that is away: writes wait until it is back.
type slowStore struct {
	store.Store
	mu   sync.Mutex
	back chan struct{} // nil: it is there
}

func (s *slowStore) set(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if away {
		s.back = make(chan struct{})
		return
	}
	close(s.back)
	s.back = nil
}

func (s *slowStore) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	s.mu.Lock()
	back := s.back
	s.mu.Unlock()
	if back != nil {
		select {
		case <-back:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.Store.Put(ctx, key, r, mode)
}

// TestCancelWithoutStore: a cancel deletes pods within seconds although the log can't be written, and `finally` doesn't start
// before the pod has ended, however long the server refuses to delete it.
func TestCancelWithoutStore(t *testing.T) {
	for what, fault := range map[string]kubetest.Fault{
		"obeyed": {}, "broken": kubetest.Broken, "unauthorized": {Code: 401, Reason: "Unauthorized"}, "forbidden": {Code: 403, Reason: "Forbidden"},
		"conflict": {Code: 409, Reason: "Conflict"},
	} {
		inBubble(t, what, func(t *testing.T) {
			p := oneStep(3)
			p.Finally = []program.Step{{Name: "last", Retry: program.Retry{Attempts: 1}}}
			r := newRig(t, p)
			r.pace = 0
			running := make(chan struct{})
			r.runs = func(p corev1.Pod) {
				if p.Name == podName("last", 1) {
					if _, there := kubetest.Find[*corev1.Pod](r.api, "pods", podName("a", 1)); there {
						t.Error("finally runs beside the step")
					}
					return
				}
				close(running)
				r.untilDeleted(p.Name)
			}
			r.outcome = func(step string, _ int) *record.Result {
				if step == "a" {
					return nil
				}
				return &record.Result{Status: record.Succeeded}
			}
			s := &slowStore{Store: r.store}
			over := time.Now().Add(5 * time.Minute)
			r.api.Fault = func(q *http.Request) kubetest.Fault {
				if isDelete(q) && time.Now().Before(over) {
					return fault
				}
				return kubetest.Fault{}
			}
			c := r.start(s, "one", io.Discard)
			<-running
			time.Sleep(2 * time.Second)
			if fault.Code == 0 {
				s.set(true)
			}
			begun := time.Now()
			r.annotate(kube.AnnotationCancel, "now")
			r.untilDeleted(podName("a", 1))
			if took := time.Since(begun); fault.Code == 0 && took > 2*logWait {
				t.Errorf("the pod was deleted after %s", took)
			}
			if fault.Code == 0 {
				time.Sleep(5 * time.Minute)
				s.set(false)
			}
			if end := c.wait(t); end.Status != record.Cancelled {
				t.Errorf("%+v", end)
			}
		})
	}
}

// TestStopWithoutStore: a coordinator that is asked to end without the store ends within its grace period, and releases its
// Lease.
func TestStopWithoutStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(3))
		running, over := make(chan struct{}), make(chan struct{})
		r.runs = func(corev1.Pod) { close(running); <-over }
		s := &slowStore{Store: r.store}
		c := r.start(s, "one", io.Discard)
		<-running
		s.set(true)
		begun := time.Now()
		c.kill()
		<-c.done
		if took := time.Since(begun); took > 20*time.Second || !errors.Is(c.err, ErrStopped) {
			t.Errorf("it has ended after %s: %v", took, c.err)
		}
		if l, _ := kubetest.Find[*coordinationv1.Lease](r.api, "leases", "run"); holderOf(l) != "" {
			t.Errorf("the Lease is held by %s", holderOf(l))
		}
		close(over)
	})
}

// TestSilentNode: a pod that was deleted and doesn't end has committed a result. It counts when the pod is given up.
func TestSilentNode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(0))
		running := make(chan struct{})
		r.api.Kubelet = func(pod corev1.Pod) {
			task, err := step.DecodeTask(context.Background(), r.store, pod.Spec.Containers[0].Env[0].Value)
			if err != nil {
				t.Error(err)
				return
			}
			at := metav1.Now()
			kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
				p.Status.Phase = corev1.PodRunning
				p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: kube.ContainerMain, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}}}}
			})
			result := record.Result{Version: 1, Run: "run", Step: "a", Attempt: 1, Status: record.Succeeded}
			if err := store.WriteJSON(context.Background(), r.store, task.ResultKey(), &result, store.IfAbsent); err != nil {
				t.Error(err)
			}
			close(running)
		}
		c := r.start(r.store, "one", io.Discard)
		<-running
		time.Sleep(time.Second)
		r.annotate(kube.AnnotationCancel, "now")
		if s := c.wait(t).Steps[0]; s.Status != record.Succeeded {
			t.Errorf("%+v", s)
		}
	})
}

// TestNoWarnings: a server that can't stream lists is not reported as a fault.
func TestNoWarnings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(0))
		out := hearing{func(line string) {
			if e := eventOf(line); e.Type == record.Warned {
				t.Errorf("the coordinator warns: %s", e.Text)
			}
		}}
		r.start(r.store, "one", out).wait(t)
	})
}

// TestRenewedMeanwhile: a Lease that its holder has renewed since the last look at it is not taken, and no more is one that
// the holder renews for an hour.
func TestRenewedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(0))
		renew := func() {
			kubetest.Update(r.api, "leases", "run", func(l *coordinationv1.Lease) {
				at := metav1.NowMicro()
				l.Spec.RenewTime = &at
			})
		}
		holder := "one/one"
		r.api.Put(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "run", Namespace: "ns"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder}})
		next := r.start(r.store, "two", io.Discard)
		synctest.Wait() // it has looked for the first time
		for range 120 {
			time.Sleep(leaseExpiry - time.Millisecond) // just before the look that finds it expired
			renew()
			if l, _ := kubetest.Find[*coordinationv1.Lease](r.api, "leases", "run"); holderOf(l) != holder {
				t.Fatalf("the Lease is held by %s", holderOf(l))
			}
		}
		next.wait(t)
	})
}
