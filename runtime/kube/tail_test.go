package kube

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Of a log of any length, read in pieces of any size, the tail is what lies behind the stored bytes; where the node has
// less than was stored it is all that the node has; and it is never longer than its bound.
func TestTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(maxTail-2, 3*maxTail+2)).Draw(t, "size")
		skip := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 3*maxTail)).Draw(t, "skip")
		log := make([]byte, size)
		for i := range log {
			log[i] = byte(i ^ i>>8 ^ i>>16)
		}
		want := log
		if skip <= size {
			want = log[skip:]
		}
		want = want[max(0, len(want)-maxTail):]
		var from io.Reader = bytes.NewReader(log)
		if rapid.Bool().Draw(t, "halves") {
			from = iotest.HalfReader(from)
		}
		got := &tail{skip: int64(skip)}
		if _, err := io.Copy(got, from); err != nil || !bytes.Equal(got.bytes(), want) {
			t.Fatalf("of %d bytes, %d stored, the tail has %d bytes, and %d are wanted: %v", size, skip, len(got.bytes()), len(want), err)
		}
	})
}

// What was saved of a log once is there, and known for it; what a wrapper has stored is not taken for it, however short.
func TestTailIsThere(t *testing.T) {
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d, task := &tails{store: s}, &step.Spec{AttemptDir: "runs/n/p/r/attempts/s/1"}
	for i, text := range []string{"x", tailNote[:9], tailNote, tailNote + "words\n", "words\n" + tailNote} {
		if err := s.Put(t.Context(), step.LogKey(task.AttemptDir, i), strings.NewReader(text), store.IfAbsent); err != nil {
			t.Fatal(err)
		}
		if got, err := d.saved(t.Context(), task, i); err != nil || got != strings.HasPrefix(text, tailNote) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	if got, err := d.saved(t.Context(), task, -1); got || err != nil {
		t.Errorf("of no log: %v %v", got, err)
	}
}

// oomKills is a kubelet that reports each pod as killed for lack of memory.
func oomKills(r *rig) func(corev1.Pod) {
	return func(pod corev1.Pod) {
		at := metav1.Now()
		kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
			p.Status.Phase = corev1.PodFailed
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: kube.ContainerMain, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: at, FinishedAt: at, ExitCode: 137, Reason: "OOMKilled"}}}}
		})
	}
}

// TestTailsAtOnce: however many pods are killed at once, few logs are read at once, and the end of each is saved.
func TestTailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, many(40, 40))
		for _, s := range r.program.Steps {
			r.api.WriteLog(podName(s.Name, 1), strings.Repeat("x", 100)+"\n", true)
		}
		r.api.Kubelet = oomKills(r)
		var now, most atomic.Int64
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if strings.HasSuffix(q.URL.Path, "/log") {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
			}
			return kubetest.Fault{}
		}
		r.start(r.store, "one", io.Discard).wait(t)
		if n := most.Load(); n == 0 || n > saves {
			t.Errorf("%d logs were read at once", n)
		}
		for _, s := range r.program.Steps {
			dir := (&record.Run{Namespace: "ns", Pipeline: "p", Name: "run"}).AttemptDir(s.Name, 1)
			data, err := store.ReadAll(t.Context(), r.store, step.LogKey(dir, 0))
			if err != nil || !strings.HasPrefix(string(data), tailNote) || !strings.HasSuffix(string(data), "x\n") {
				t.Errorf("of %s there is %q, %v", s.Name, data, err)
			}
		}
	})
}

// TestTailUnanswered: a run ends although the request for the log of a killed pod is never answered.
func TestTailUnanswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, many(2, 2))
		r.api.Kubelet = oomKills(r)
		r.api.Fault = func(q *http.Request) kubetest.Fault {
			if strings.HasSuffix(q.URL.Path, "/log") {
				return kubetest.Fault{Delay: 24 * time.Hour}
			}
			return kubetest.Fault{}
		}
		begun := time.Now()
		end := r.start(r.store, "one", io.Discard).wait(t)
		if took := time.Since(begun); end.Status != record.Failed || took > 2*tailTimeout {
			t.Errorf("%+v after %s", end, took)
		}
	})
}
