package kubeclient_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
)

// lists are the requests to list pods.
type lists struct {
	mu     sync.Mutex
	limits []string
}

func (l *lists) note(r *http.Request) kubetest.Fault {
	if q := r.URL.Query(); q.Get("watch") == "" {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.limits = append(l.limits, q.Get("limit"))
	}
	return kubetest.Fault{}
}

// The first list of pods comes in pages, and a watch passes on only the parts of pods that callers need.
func TestWatchPods(t *testing.T) {
	for _, streamed := range []bool{true, false} {
		t.Run(fmt.Sprintf("streamed=%v", streamed), func(t *testing.T) {
			var l lists
			api := kubetest.New(t)
			api.WatchList, api.Fault = streamed, l.note
			const pods = 1001
			for i := range pods {
				api.Put(newPod(i))
			}
			ctx, stop := context.WithCancel(t.Context())
			seen, synced, done := map[string]*corev1.Pod{}, make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				api.Client("ns").WatchPods(ctx, "run=a", kubeclient.Watcher[*corev1.Pod]{
					Changed: func(p *corev1.Pod) { seen[p.Name] = p },
					Gone:    func(p *corev1.Pod) { t.Errorf("%s is gone", p.Name) },
					Synced:  func() { close(synced) },
				})
			}()
			<-synced
			stop()
			<-done
			if len(seen) != pods {
				t.Errorf("%d pods, want %d", len(seen), pods)
			}
			for name, p := range seen {
				if len(p.Spec.Containers) > 0 || p.ManagedFields != nil || p.Spec.NodeName != "node" || len(p.Spec.ReadinessGates) != 1 || p.Status.Phase != corev1.PodRunning || len(p.Labels) != 2 {
					t.Fatalf("%s: %+v", name, p)
				}
			}
			want := []string{"500", "500", "500"}
			if streamed {
				want = nil
			}
			if got := fmt.Sprint(l.limits); got != fmt.Sprint(want) {
				t.Errorf("the limits of the lists are %s, want %s", got, want)
			}
		})
	}
}

func newPod(i int) *corev1.Pod {
	name := fmt.Sprintf("pod-%d", i)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "ns", UID: types.UID(name), Labels: map[string]string{"run": "a", "pipec.dev/run": "r", "batch.kubernetes.io/job-name": "r"}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}},
		},
		Spec: corev1.PodSpec{
			NodeName: "node", Containers: []corev1.Container{{Name: "main", Image: "i"}}, ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "c"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodRunning},
	}
}
