package remote

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestReasonOf(t *testing.T) {
	waits := func(name, reason, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, Image: "img:1", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
	}
	unscheduled := []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/1 nodes\nare available"}}
	for _, c := range []struct {
		name string
		pod  corev1.PodStatus
		node string
		want string
		bad  bool
	}{
		{"runs", corev1.PodStatus{Phase: corev1.PodRunning}, "n", "", false},
		{"ended", corev1.PodStatus{Phase: corev1.PodSucceeded}, "n", "", false},
		{"no node", corev1.PodStatus{Phase: corev1.PodPending, Conditions: unscheduled}, "", "Unschedulable: 0/1 nodes are available", true},
		{"not scheduled yet", corev1.PodStatus{Phase: corev1.PodPending}, "", "Scheduling", false},
		{"nothing known", corev1.PodStatus{Phase: corev1.PodPending}, "n", "ContainerCreating", false},
		{"image", corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{waits("main", "ErrImagePull", "long\nstory")}}, "n", "ImagePullBackOff: img:1", true},
		{"config", corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{waits("main", "CreateContainerConfigError", `secret "s" not found`)}},
			"n", `CreateContainerConfigError: secret "s" not found`, true},
		{"init's image", corev1.PodStatus{
			Phase: corev1.PodPending, InitContainerStatuses: []corev1.ContainerStatus{waits("pipec-agent", "ImagePullBackOff", "")},
			ContainerStatuses: []corev1.ContainerStatus{waits("main", "PodInitializing", "")},
		}, "n", "ImagePullBackOff: img:1", true},
		{"init works", corev1.PodStatus{
			Phase: corev1.PodPending, InitContainerStatuses: []corev1.ContainerStatus{{Name: "pipec-agent", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
			ContainerStatuses: []corev1.ContainerStatus{waits("main", "PodInitializing", "")},
		}, "n", "PodInitializing", false},
		{"a sidecar waits, main has begun", corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{
			waits("side", "ErrImagePull", ""), {Name: "main", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}},
		}}, "n", "", false},
	} {
		w, ok := reasonOf(&corev1.Pod{Spec: corev1.PodSpec{NodeName: c.node}, Status: c.pod}, "main")
		got := ""
		if ok {
			got = w.String()
		}
		if got != c.want || w.lasting != c.bad {
			t.Errorf("%s: got %q, %v; want %q, %v", c.name, got, w.lasting, c.want, c.bad)
		}
	}
}
