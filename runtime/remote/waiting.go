package remote

import (
	"errors"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/cluster/connect"
)

// wants is what keeps a pod from running.
type wants struct {
	reason  string // one word, as Kubernetes writes it
	message string
	bad     bool // it doesn't go away by waiting a little
	vague   bool // the pod's events may say more
}

func (w wants) String() string {
	if w.message == "" {
		return w.reason
	}
	return w.reason + ": " + w.message
}

// waitsFor says what a pod waits for whose container has not started; ok is false where it waits for nothing.
func waitsFor(pod *corev1.Pod, container string) (w wants, ok bool) {
	if pod.Status.Phase != corev1.PodPending || !begun(pod, container).IsZero() {
		return w, false
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return wants{reason: c.Reason, message: oneLine(c.Message), bad: c.Reason == corev1.PodReasonUnschedulable}, true
		}
	}
	if pod.Spec.NodeName == "" {
		return wants{reason: "Scheduling", vague: true}, true
	}
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if s.State.Waiting == nil || s.State.Waiting.Reason == "" {
			continue
		}
		w := wants{reason: s.State.Waiting.Reason, message: oneLine(s.State.Waiting.Message)}
		switch w.reason {
		case "PodInitializing", "ContainerCreating":
			w.vague = true
			if s.Name != container {
				continue
			}
		case "ErrImagePull", "ImagePullBackOff": // they take turns
			w.reason, w.message, w.bad = "ImagePullBackOff", s.Image, true
		default:
			w.bad = true
		}
		return w, true
	}
	return wants{reason: "ContainerCreating", vague: true}, true
}

// why is an error of the cluster or the store in a line.
func why(err error) string {
	var explained *connect.Error
	if errors.As(connect.Explain(err), &explained) {
		return explained.Text
	}
	return oneLine(err.Error())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
