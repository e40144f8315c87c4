package external

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

func object(version, kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": version, "kind": kind, "metadata": map[string]any{"namespace": namespace, "name": name}, "spec": spec,
	}}
}

func cluster() *fake.FakeDynamicClient {
	lists := map[schema.GroupVersionResource]string{claims: "PersistentVolumeClaimList", services: "ServiceList", ingresses: "IngressList", pods: "PodList"}
	return fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists,
		object("v1", "Service", "ml", "web", map[string]any{"type": "LoadBalancer"}),
		object("v1", "Service", "ml", "inner", map[string]any{"type": "ClusterIP"}),
		object("v1", "PersistentVolumeClaim", "other", "data", nil),
		object("networking.k8s.io/v1", "Ingress", "ml", "front", nil),
		object("v1", "Pod", "other", "user", map[string]any{"volumes": []any{map[string]any{"persistentVolumeClaim": map[string]any{"claimName": "data"}}}}),
		object("v1", "Pod", "other", "stranger", map[string]any{"volumes": []any{map[string]any{"emptyDir": map[string]any{}}}}),
	)
}

// TestRemove: a claim exists until the pod that uses it is deleted, and other pods are not touched.
func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := cluster()
		used := true
		objects.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { used = false; return false, nil, nil })
		objects.PrependReactor("delete", "persistentvolumeclaims", func(clienttesting.Action) (bool, runtime.Object, error) { return used, nil, nil })
		c := &Client{Objects: objects}
		found, err := c.List(t.Context())
		want := "[Ingress ml/front PersistentVolumeClaim other/data Service ml/web]"
		if err != nil || fmt.Sprint(found) != want {
			t.Fatalf("found %v, %v; expected %s", found, err, want)
		}
		var gone []string
		if err := c.Remove(t.Context(), found, func(o Object) { gone = append(gone, o.String()) }); err != nil {
			t.Fatal(err)
		}
		slices.Sort(gone)
		if fmt.Sprint(gone) != want {
			t.Errorf("gone: %v", gone)
		}
		var left []string
		for _, resource := range []schema.GroupVersionResource{pods, services, claims} {
			if err := c.each(t.Context(), resource, func(u *unstructured.Unstructured) { left = append(left, u.GetName()) }); err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprint(left) != "[stranger inner]" {
			t.Errorf("left: %v", left)
		}
	})
}

func TestRemoveStops(t *testing.T) {
	objects := cluster()
	objects.PrependReactor("delete", "services", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Client{Objects: objects}
	if err := c.Remove(ctx, []Object{{"Service", "ml", "web"}}, func(Object) {}); err == nil {
		t.Error("a service that remains was reported as gone")
	}
}
