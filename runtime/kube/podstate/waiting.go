package podstate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/record"
)

// Kind is the kind of cause for which a pod waits. Each kind has its own time limit.
type Kind int

// The kinds.
const (
	Done     Kind = iota // the pod does not wait
	Starting             // the cluster reports no fault: volumes are mounted, or an image is pulled
	Room                 // no node has room for the pod
	Image                // an image that can't be pulled
	Never                // waiting does not help: the name of an image is invalid
	Config               // a Secret, a ConfigMap or a key does not exist, or a container can't be created
	Quota                // the quota of the namespace is exhausted
	Lost                 // the node is unreachable: the pod waits for the stack's on_lost_node
)

// Waiting describes why a pod waits, as the cluster reports it.
type Waiting struct {
	Kind            Kind
	Class           record.Class // of the attempt if its pod waits too long
	Reason, Message string
}

// Reasons of attempts that have ended because their pod waited too long.
const (
	ReasonUnschedulable = "Unschedulable"
	ReasonImage         = "ImagePullFailed"
	ReasonConfig        = "ContainerConfigError"
	ReasonQuota         = "QuotaExceeded"
	ReasonPending       = "PendingTimeout"
)

// EndReason returns the reason of an attempt that ends because its pod waited too long.
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
	case Lost:
		return ReasonNodeLost
	}
	return ReasonPending
}

// The time limits of steps without a pending_timeout. A pending_timeout limits all kinds.
const (
	graceAll    = 30 * time.Minute // an autoscaler may have to add a node
	graceImage  = 5 * time.Minute  // a registry may be unavailable for a short time
	graceConfig = 2 * time.Minute  // a Secret may be created shortly after the pod
)

// Grace returns how long a pod may wait for this kind of cause. timeout is the step's pending_timeout; 0: none.
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

// waiting returns why a pod has not started; nil: no cause is known.
func waiting(pod *corev1.Pod) *Waiting {
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		return waitsFor(Scheduling, &cause{reason: c.Reason, message: c.Message})
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			w := list[i].State.Waiting
			if w == nil {
				continue
			}
			if found := waitsFor(Waits, &cause{reason: w.Reason, message: w.Message}); found != nil {
				return found
			}
		}
	}
	return nil
}

// Forbidden returns what a pod has to wait for if the API server forbids its creation with this message; nil: waiting is of no use.
func Forbidden(message string) *Waiting { return waitsFor(Creation, &cause{message: message}) }

// waitsFor returns the first row that describes why a pod waits, with what the cluster reports; nil: none does.
func waitsFor(p Part, c *cause) *Waiting {
	for i := range waits {
		if row := &waits[i]; row.Part == p && row.matches(c) {
			return &Waiting{row.Wait, row.Class, c.reason, c.message}
		}
	}
	return nil
}
