package podstate

import (
	"context"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
)

// A watch passes on pods without the parts that no caller needs. The state of a pod is the same without them.
func TestWatched(t *testing.T) {
	api := kubetest.New(t)
	want := map[string]State{}
	for _, c := range statuses {
		p := readPod(t, c.pod)
		p.Namespace, p.Labels = "ns", map[string]string{"run": "a"}
		want[p.Name] = Of(p)
		api.Put(p)
	}
	ctx, stop := context.WithCancel(t.Context())
	got, done := map[string]State{}, make(chan struct{})
	go func() {
		defer close(done)
		api.Client("ns").WatchPods(ctx, "run=a", kubeclient.Watcher[*corev1.Pod]{
			Changed: func(p *corev1.Pod) { got[p.Name] = Of(p) },
			Gone:    func(p *corev1.Pod) { t.Errorf("%s is gone", p.Name) },
			Synced:  stop,
		})
	}()
	<-done
	for name, state := range want {
		if !reflect.DeepEqual(got[name], state) {
			t.Errorf("%s:\n%+v\nwithout a watch:\n%+v", name, got[name], state)
		}
	}
}
