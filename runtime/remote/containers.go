package remote

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// terminated returns the state of a container that has ended; nil: it has not.
func terminated(pod *corev1.Pod, container string) *corev1.ContainerStateTerminated {
	if s := containerStatus(pod, container); s != nil {
		return s.State.Terminated
	}
	return nil
}

func containerStatus(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if s := &pod.Status.ContainerStatuses[i]; s.Name == container {
			return s
		}
	}
	return nil
}

// begun returns when a container started; zero: it has not.
func begun(pod *corev1.Pod, container string) time.Time {
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
