package remote

import (
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// waitReason is the reason why a pod doesn't run.
type waitReason struct {
	name    string // one word, as Kubernetes writes it
	message string
	lasting bool // it won't end within seconds
	unclear bool // the pod's events may explain more
}

func (r waitReason) String() string {
	if r.message == "" {
		return r.name
	}
	return r.name + ": " + r.message
}

// reasonOf returns why a container of a pod has not started. ok is false if the pod doesn't wait.
func reasonOf(pod *corev1.Pod, container string) (r waitReason, ok bool) {
	if pod.Status.Phase != corev1.PodPending || !startTime(pod, container).IsZero() {
		return r, false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return waitReason{name: c.Reason, message: oneLine(c.Message), lasting: c.Reason == corev1.PodReasonUnschedulable}, true
		}
	}
	if pod.Spec.NodeName == "" {
		return waitReason{name: "Scheduling", unclear: true}, true
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if s.State.Waiting == nil || s.State.Waiting.Reason == "" {
			continue
		}
		r := waitReason{name: s.State.Waiting.Reason, message: oneLine(s.State.Waiting.Message)}
		switch r.name {
		case "PodInitializing", "ContainerCreating":
			r.unclear = true
			if s.Name != container {
				continue
			}
		case "ErrImagePull", "ImagePullBackOff": // a pod alternates between them
			r.name, r.message, r.lasting = "ImagePullBackOff", s.Image, true
		default:
			r.lasting = true
		}
		return r, true
	}
	return waitReason{name: "ContainerCreating", unclear: true}, true
}

// explain returns an error of the cluster or the store in one line.
func explain(err error) string {
	var explained *connect.Error
	if errors.As(connect.Explain(err), &explained) {
		return explained.Text
	}
	return oneLine(err.Error())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
