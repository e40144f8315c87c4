package kube

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/record"
)

// TestForgottenContainer: a kubelet that is restarted loses the state of a container that has run for hours. Its pod is not taken
// for one that has waited too long to start, also by a coordinator that sees it for the first time.
func TestForgottenContainer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(0))
		running := make(chan struct{})
		r.runs = func(pod corev1.Pod) {
			close(running)
			time.Sleep(time.Hour)
			var kept []corev1.ContainerStatus
			kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
				kept, p.Status.ContainerStatuses = p.Status.ContainerStatuses, nil
			})
			time.Sleep(time.Hour)
			kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) { p.Status.ContainerStatuses = kept })
			time.Sleep(time.Hour)
		}
		c := r.start(r.store, "one", io.Discard)
		<-running
		time.Sleep(time.Hour + 30*time.Minute)
		c.kill()
		<-c.done
		if end := r.start(r.store, "two", io.Discard).wait(t); end.Status != record.Succeeded || end.Steps[0].Attempts != 1 {
			t.Errorf("%+v", end.Steps[0])
		}
		if n := len(r.api.Deletes()); n > 0 {
			t.Errorf("%d pods were deleted", n)
		}
	})
}

// TestStopWhileResuming: a coordinator that takes a run over and is asked to end while it can't write the log ends in time.
func TestStopWhileResuming(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oneStep(0))
		running, over := make(chan struct{}), make(chan struct{})
		r.runs = func(corev1.Pod) { close(running); <-over }
		c := r.start(r.store, "one", io.Discard)
		<-running
		time.Sleep(time.Minute)
		c.kill()
		<-c.done
		s := &slowStore{Store: r.store}
		s.set(true)
		c = r.start(s, "two", io.Discard)
		time.Sleep(time.Minute)
		begun := time.Now()
		c.kill()
		<-c.done
		if took := time.Since(begun); took > 20*time.Second || !errors.Is(c.err, ErrStopped) {
			t.Errorf("it has ended after %s: %v", took, c.err)
		}
		close(over)
		if end := r.start(r.store, "three", io.Discard).wait(t); end.Status != record.Succeeded {
			t.Errorf("%+v", end)
		}
	})
}
