package podstate

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Kind is the reason why a pod waits. Each kind has its own grace.
type Kind int

// The kinds.
const (
	Starting Kind = iota // nothing is wrong, as far as the cluster reports: volumes, an active pull
	Room                 // no node takes it
	Image                // an image that can't be pulled
	Never                // what will never be there: the name of an image that can't be one
	Config               // a Secret, a ConfigMap or a key that isn't there; a container that can't be made
	Quota                // the namespace's quota has no room for it
)

// Waiting is what a pod waits for, and what the cluster says about it.
type Waiting struct {
	Kind            Kind
	Reason, Message string
}

// Reasons of attempts that have ended because a pod waited too long.
const (
	ReasonUnschedulable = "Unschedulable"
	ReasonImage         = "ImagePullFailed"
	ReasonConfig        = "ContainerConfigError"
	ReasonQuota         = "QuotaExceeded"
	ReasonPending       = "PendingTimeout"
)

// EndReason is the reason of the attempt that is ended for it.
func (k Kind) EndReason() string {
	switch k {
	case Room:
		return ReasonUnschedulable
	case Image, Never:
		return ReasonImage
	case Config:
		return ReasonConfig
	case Quota:
		return ReasonQuota
	}
	return ReasonPending
}

// The graces where the step has no pending_timeout. One that has bounds them all.
const (
	graceAll    = 30 * time.Minute // a node may have to be bought first
	graceImage  = 5 * time.Minute  // a registry may be away for a moment
	graceConfig = 2 * time.Minute  // a Secret may be on its way
)

// Grace is how long a wait of this kind is borne; timeout is the step's pending_timeout, 0 for none.
func (k Kind) Grace(timeout time.Duration) time.Duration {
	grace := graceAll
	switch {
	case k == Never:
		return 0
	case k == Image:
		grace = graceImage
	case k == Config:
		grace = graceConfig
	case timeout > 0:
		return timeout
	}
	if timeout > 0 {
		return min(grace, timeout)
	}
	return grace
}

// waiting finds what a pod that has not started waits for.
func waiting(pod *corev1.Pod) *Waiting {
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return &Waiting{Room, c.Reason, c.Message}
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if w := list[i].State.Waiting; w != nil {
				if kind := kindOf(w.Reason); kind != Starting {
					return &Waiting{kind, w.Reason, w.Message}
				}
			}
		}
	}
	return nil
}

// kindOf sorts what a kubelet says of a container that waits.
func kindOf(reason string) Kind {
	switch reason {
	case "InvalidImageName", "ErrImageNeverPull":
		return Never
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
		return Image
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError",
		"PostStartHookError", "CrashLoopBackOff":
		return Config
	}
	return Starting
}
