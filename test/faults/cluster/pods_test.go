package cluster

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// TestPods: the pods of running steps are deleted, evicted through the API, and end because memory ran out. The first two
// are failures of the infrastructure, and are tried again without a retry of the step.
func TestPods(t *testing.T) {
	t.Parallel()
	waits := lines(
		`    command = ["sh", "-c", "until test \"$(cat /mode/mode)\" = run; do sleep 1; done"]`,
		`    volume "mode" {`,
		`      path       = "/mode"`,
		`      config_map = "mode"`,
		`    }`,
		`  }`,
	)
	p := newProject(t, "", lines(
		`  step "deleted" {`, waits,
		`  step "evicted" {`, waits,
		`  step "big" {`,
		`    command = ["sh", "-c", "test $PIPEC_ATTEMPT != 1 || tail /dev/zero"]`,
		`    retry { attempts = 2 }`,
		`    resources {`,
		`      memory = "64Mi"`,
		`    }`,
		`  }`,
	), "")
	mode := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mode"}, Data: map[string]string{"mode": "wait"}}
	if _, err := p.client.CoreV1().ConfigMaps(p.ns).Create(t.Context(), mode, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r := p.start()
	deleted, evicted := p.runningPod("deleted"), p.runningPod("evicted")
	pods := p.client.CoreV1().Pods(p.ns)
	if err := pods.Delete(t.Context(), deleted.Name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: evicted.Name, Namespace: p.ns}}
	if err := p.client.PolicyV1().Evictions(p.ns).Evict(t.Context(), eviction); err != nil {
		t.Error(err)
	}
	p.await("second attempts", func() bool {
		n := 0
		for _, pod := range p.pods(kube.ComponentStep) {
			if step := pod.Annotations[kube.AnnotationStep]; (step == "deleted" || step == "evicted") && pod.Labels[kube.LabelAttempt] == "2" {
				n++
			}
		}
		return n == 2
	})
	mode.Data["mode"] = "run" // the next attempts end, at the latest when the kubelet has updated the volume
	if _, err := p.client.CoreV1().ConfigMaps(p.ns).Update(t.Context(), mode, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{record.Succeeded, map[string]int{"deleted": 2, "evicted": 2, "big": 2}})
}

// TestNamespace: the namespace of a run is deleted. The command ends, and nothing of the run is left.
func TestNamespace(t *testing.T) {
	t.Parallel()
	p := newProject(t, "", `  step "long" { command = ["sleep", "600"] }`)
	r := p.start()
	p.runningPod("long")
	if err := p.client.CoreV1().Namespaces().Delete(t.Context(), p.ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.await("the end of the namespace", func() bool {
		_, err := p.client.CoreV1().Namespaces().Get(context.Background(), p.ns, metav1.GetOptions{})
		return err != nil
	})
	if code, out := r.wait(); code == 0 {
		t.Errorf("the command of a run whose namespace was deleted has succeeded: %s", out)
	}
}
