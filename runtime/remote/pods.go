package remote

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// podChanged handles the state of a step's pod.
func (f *follower) podChanged(p *corev1.Pod) {
	id, ok := attemptOf(p)
	switch {
	case !ok:
	case f.timeline.stepEnded(id.Step):
		f.waits.end(string(p.UID))
	default:
		f.waits.review(id.Step, p, kube.ContainerMain)
		f.logs.podChanged(id, p)
	}
}

func (f *follower) podGone(p *corev1.Pod) {
	f.waits.end(string(p.UID))
	if id, ok := attemptOf(p); ok {
		f.logs.podGone(id, p.Name)
	}
}

// attemptOf returns the attempt that a pod was created for.
func attemptOf(p *corev1.Pod) (record.AttemptID, bool) {
	name := p.Annotations[kube.AnnotationStep]
	if name == "" {
		name = p.Labels[kube.LabelStep]
	}
	n, err := strconv.Atoi(p.Labels[kube.LabelAttempt])
	return record.AttemptID{Step: name, Attempt: n}, err == nil && n > 0 && name != ""
}

func containerStatus(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if s := &pod.Status.ContainerStatuses[i]; s.Name == container {
			return s
		}
	}
	return nil
}

// terminated reports whether a container has ended.
func terminated(pod *corev1.Pod, container string) bool {
	s := containerStatus(pod, container)
	return s != nil && s.State.Terminated != nil
}

// startTime returns when a container started, and zero if it has not started.
func startTime(pod *corev1.Pod, container string) time.Time {
	s := containerStatus(pod, container)
	switch {
	case s == nil:
	case s.State.Running != nil:
		return s.State.Running.StartedAt.Time
	case s.State.Terminated != nil:
		return s.State.Terminated.StartedAt.Time
	}
	return time.Time{}
}
