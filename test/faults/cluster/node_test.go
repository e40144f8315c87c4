package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/schema/record"
)

// nodeLabel is a label and a taint of nodes that exist for one test only.
const nodeLabel = "pipec.dev/test-node"

// TestNode: the node of a step isn't heard of any more. Kubernetes asks for the deletion of the step's pod, which nothing
// confirms. There is no second attempt until the node is back, and its pod is gone.
func TestNode(t *testing.T) {
	t.Parallel()
	p := newProject(t, "", "")
	p.write("p.pipec.hcl", fmt.Sprintf(`
pipeline "p" {
  image = %q
  step "a" {
    command = ["true"]
    affinity {
      node = {
        preferredDuringSchedulingIgnoredDuringExecution = [{
          weight     = 100
          preference = { matchExpressions = [{ key = %q, operator = "In", values = [%q] }] }
        }]
      }
    }
    toleration {
      key = %q
    }
    toleration {
      key     = "node.kubernetes.io/unreachable"
      effect  = "NoExecute"
      seconds = 1
    }
  }
}
`, p.c.Busybox("1"), nodeLabel, p.ns, nodeLabel))
	n := p.newNode()
	r := p.start()
	n.await("a pod on the node", func() bool { return n.runs() })
	n.leave()
	p.await("the request to delete the pod", func() bool {
		pods := p.pods("step")
		return len(pods) == 1 && pods[0].DeletionTimestamp != nil
	})
	if eventually.Holds(10*time.Second, func() bool { return len(p.pods("step")) != 1 }) {
		t.Errorf("the step has another pod while its node isn't heard of:\n%s", p.state())
	}
	n.comeBack()
	if code, out := r.wait(); code != 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
	p.judge(expected{record.Succeeded, map[string]int{"a": 2}})
}

// node is a node without a machine: the test reports its state and the state of its pods.
type node struct {
	*project
	name string
	stop context.CancelFunc // of the heartbeat
}

// newNode creates a node that only pods with a toleration for it use, and keeps it alive.
func (p *project) newNode() *node {
	p.t.Helper()
	n := &node{project: p, name: "node-of-" + p.ns}
	room := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("64Gi"), corev1.ResourcePods: resource.MustParse("100"),
	}
	_, err := p.client.CoreV1().Nodes().Create(p.t.Context(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: map[string]string{nodeLabel: p.ns}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: nodeLabel, Effect: corev1.TaintEffectNoSchedule}}},
		Status:     corev1.NodeStatus{Capacity: room, Allocatable: room},
	}, metav1.CreateOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = p.client.CoreV1().Nodes().Delete(context.Background(), n.name, metav1.DeleteOptions{}) })
	n.live()
	return n
}

// live sends a heartbeat every few seconds until leave.
func (n *node) live() {
	ctx, stop := context.WithCancel(n.t.Context())
	n.stop = stop
	beat := func() {
		at := metav1.Now()
		own, err := n.client.CoreV1().Nodes().Get(ctx, n.name, metav1.GetOptions{})
		if err != nil {
			return
		}
		own.Status.Conditions = []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: at, LastTransitionTime: at,
		}}
		_, _ = n.client.CoreV1().Nodes().UpdateStatus(ctx, own, metav1.UpdateOptions{}) // else the next one
	}
	beat()
	go func() {
		for ticks := time.NewTicker(5 * time.Second); ctx.Err() == nil; {
			select {
			case <-ticks.C:
				beat()
			case <-ctx.Done():
				ticks.Stop()
			}
		}
	}()
}

// runs reports that the pod of the step runs, once the scheduler has bound it to the node.
func (n *node) runs() bool {
	pods := n.pods("step")
	if len(pods) != 1 || pods[0].Spec.NodeName != n.name {
		return false
	}
	pod, at := &pods[0], metav1.Now()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = append(pod.Status.Conditions,
		corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at},
		corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: at})
	for _, c := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}},
		})
	}
	_, err := n.client.CoreV1().Pods(n.ns).UpdateStatus(n.t.Context(), pod, metav1.UpdateOptions{})
	return err == nil
}

// leave ends the heartbeat.
func (n *node) leave() { n.stop() }

// comeBack has the node be heard of again. It accepts no further pods, and confirms the deletion of its own.
func (n *node) comeBack() {
	n.t.Helper()
	patch := []byte(`{"spec":{"unschedulable":true}}`)
	if _, err := n.client.CoreV1().Nodes().Patch(n.t.Context(), n.name, "application/merge-patch+json", patch, metav1.PatchOptions{}); err != nil {
		n.t.Fatal(err)
	}
	n.live()
	for _, pod := range n.pods("step") {
		options := metav1.DeleteOptions{GracePeriodSeconds: new(int64), Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
		if err := n.client.CoreV1().Pods(n.ns).Delete(n.t.Context(), pod.Name, options); err != nil {
			n.t.Error(err)
		}
	}
}
