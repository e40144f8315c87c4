package kube_test

import (
	"context"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func within(group string, limit int) func(*program.Step) {
	return func(s *program.Step) { s.Concurrency = &program.Concurrency{Group: group, Limit: limit} }
}

func skips(s *program.Step) { s.Concurrency.Skip = true }

// apart holds that no two main containers of the pods ran at the same time.
func (w *world) apart(runs ...string) {
	w.t.Helper()
	type span struct {
		name     string
		from, to time.Time
	}
	var spans []span
	for _, run := range runs {
		for _, p := range w.pods(run) {
			if p.Labels[kube.LabelGroup+kube.GroupDigest("", "gpu")] != "gpu" {
				continue
			}
			for _, c := range p.Status.ContainerStatuses {
				if t := c.State.Terminated; c.Name == kube.ContainerMain && t != nil {
					spans = append(spans, span{p.Name, t.StartedAt.Time, t.FinishedAt.Time})
				}
			}
		}
	}
	for i, a := range spans {
		for _, b := range spans[:i] {
			if a.from.Before(b.to) && b.from.Before(a.to) {
				w.t.Errorf("%s and %s ran at once: %s to %s, and %s to %s", a.name, b.name, a.from, a.to, b.from, b.to)
			}
		}
	}
	w.t.Logf("%d pods of the group, one after the other", len(spans))
}

// group waits until the group's Lease has the expected state, by a watch.
func (w *world) group(what string, want func(holders, waiting string) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	watch, err := w.client.CoordinationV1().Leases(w.ns).Watch(ctx, metav1.ListOptions{LabelSelector: kube.LabelComponent + "=" + kube.ComponentGroup})
	check(w.t, err)
	defer watch.Stop()
	for e := range watch.ResultChan() {
		if l, ok := e.Object.(*coordinationv1.Lease); ok && want(l.Annotations[kube.AnnotationHolders], l.Annotations[kube.AnnotationWaiting]) {
			return
		}
	}
	w.t.Fatalf("the group never was as it should be: %s", what)
}

func (w *world) nobodyIn() {
	w.t.Helper()
	l, err := w.client.CoordinationV1().Leases(w.ns).Get(w.t.Context(), kube.GroupLease("", "gpu"), metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		w.t.Errorf("%v, %+v", err, l.Annotations)
	}
}

// Two runs in a group of one: their steps never run at once. One that doesn't wait is skipped.
func TestGroupOfTwoRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.bind([]program.Step{
		w.sh("a", "sleep 2", within("gpu", 1)), w.sh("b", "sleep 2", within("gpu", 1)), w.sh("free", "true"),
	})
	w.start(p, "one", nil)
	w.start(p, "two", nil)
	w.group("somebody waits", func(holders, waiting string) bool { return holders != "" && waiting != "" })
	w.start(w.bind([]program.Step{w.sh("a", "true", within("gpu", 1), skips)}), "three", nil)
	end := w.succeeded("three")
	if s := w.step(end, "a"); s.Status != record.Skipped || s.Reason != record.ReasonGroupBusy || !strings.Contains(s.Message, "group gpu is busy: run ") {
		t.Errorf("%+v", s)
	}
	if n := len(w.pods("three")); n != 0 {
		t.Errorf("a step that is skipped has %d pods", n)
	}
	w.succeeded("one")
	w.succeeded("two")
	w.apart("one", "two")
	w.nobodyIn()
}

// TestGroupKilledCoordinators: the coordinator that holds a slot is killed, and the one that waits for the slot.
func TestGroupKilledCoordinators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.bind([]program.Step{w.sh("a", "sleep 12", within("gpu", 1))})
	w.start(p, "one", nil)
	w.await(kube.LabelRun+"=one", running)
	w.start(p, "two", nil)
	w.group("two waits", func(_, waiting string) bool { return strings.Contains(waiting, `"two"`) })
	for _, run := range []string{"one", "two"} {
		c := w.await("test=coordinator,run="+run, running)
		check(t, w.client.CoreV1().Pods(w.ns).Delete(t.Context(), c.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}))
	}
	for _, run := range []string{"one", "two"} {
		if s := w.step(w.succeeded(run), "a"); s.Attempts != 1 {
			t.Errorf("%s: %+v", run, s)
		}
	}
	w.apart("one", "two")
	w.nobodyIn()
}

// TestGroupDeletedRun: the holder of a slot is deleted. The waiter gets the slot after the last pod of that run has ended, which
// takes some time.
func TestGroupDeletedRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.bind([]program.Step{w.sh("a", "trap 'sleep 8; exit 0' TERM; [ $PIPEC_RUN = two ] || { echo ready; sleep 1000 & wait; }", within("gpu", 1),
		func(s *program.Step) { s.Grace = program.Duration(30 * time.Second) })})
	w.start(p, "one", nil)
	held := w.await(kube.LabelRun+"=one", running)
	w.awaitLog(held, "ready")
	w.start(p, "two", nil)
	w.group("two waits", func(_, waiting string) bool { return strings.Contains(waiting, `"two"`) })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	pods, err := w.client.CoreV1().Pods(w.ns).Watch(ctx, metav1.ListOptions{LabelSelector: kube.LabelStep + "=a"})
	check(t, err)
	defer pods.Stop()
	background := metav1.DeletePropagationBackground
	check(t, w.client.BatchV1().Jobs(w.ns).Delete(t.Context(), "one", metav1.DeleteOptions{PropagationPolicy: &background}))
	over := false
	for e := range pods.ResultChan() {
		pod, ok := e.Object.(*corev1.Pod)
		if !ok {
			continue
		}
		if pod.UID == held.UID && (e.Type == watch.Deleted || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed) {
			over = true
		}
		if pod.Labels[kube.LabelRun] == "two" {
			if !over {
				t.Error("the slot was taken while the pod of the deleted run was running")
			}
			break
		}
	}
	w.succeeded("two")
	w.nobodyIn()
}
