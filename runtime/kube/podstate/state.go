// Package podstate interprets the status of a step's pod: whether its main container has started, why it has not, how it has
// ended, and who caused a failure. Its functions are pure: they turn a pod and a committed result into a verdict.
//
// It makes no requests, and does not decide what to do about a pod.
package podstate

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
)

// State is the state of a pod.
type State struct {
	Node string // "": the pod has no node yet

	Started time.Time // of the main container; zero: it has not started
	Main    *Ended    // how the main container has ended; nil: it has not
	Waiting *Waiting  // why the main container has not started; nil: no cause is known

	// OthersRun reports that another container, such as an injected sidecar, still runs and will not end.
	OthersRun bool
	// Over reports that no container of the pod is running or will run.
	Over bool

	Reason, Message string     // of the pod as a whole: Evicted, DeadlineExceeded, OutOfcpu, …
	Disruption      *Condition // the cluster ends or has ended the pod, for example to drain its node; nil: it does not
	Init            *Ended     // an init container that has failed
	InitName        string
	Starved         string // the name of another container that ran out of memory; "": none has

	Deleted time.Time // when a deleted pod should be gone; zero: it is not deleted
	// Silent is when the node became unreachable; zero: it is reachable.
	Silent time.Time
}

// Ended describes how a container has ended.
type Ended struct {
	ExitCode int
	Signal   int
	Reason   string // Completed, Error, OOMKilled, StartError, …
	Message  string // its termination message
	At       time.Time
}

// Condition is the reason and the message of a condition of the pod.
type Condition struct{ Reason, Message string }

// Ends reports whether the end of the attempt is known: the main container has ended, or it will never run.
func (s *State) Ends() bool { return s.Main != nil || s.Over }

// Of returns the state of a pod.
func Of(pod *corev1.Pod) State {
	st := &pod.Status
	s := State{
		Node: pod.Spec.NodeName, Reason: st.Reason, Message: st.Message,
		Over: st.Phase == corev1.PodSucceeded || st.Phase == corev1.PodFailed,
	}
	if pod.DeletionTimestamp != nil {
		s.Deleted = pod.DeletionTimestamp.Time
	}
	for i := range st.ContainerStatuses {
		c := &st.ContainerStatuses[i]
		switch {
		case c.Name == kube.ContainerMain:
			s.main(c)
			continue
		case c.State.Running != nil:
			s.OthersRun = true
		}
		s.sidecar(c)
	}
	for i := range st.InitContainerStatuses {
		c := &st.InitContainerStatuses[i]
		if restarts(pod, c.Name) {
			s.sidecar(c)
		} else if t := c.State.Terminated; t != nil && t.ExitCode != 0 && s.Init == nil {
			s.Init, s.InitName = ended(t), c.Name
		}
	}
	if cond := condition(pod, corev1.DisruptionTarget); cond != nil && cond.Status == corev1.ConditionTrue {
		s.Disruption = &Condition{cond.Reason, cond.Message}
	}
	if st.Phase == corev1.PodRunning && s.Started.IsZero() && s.Main == nil {
		// A pod that runs has no container that waits: its kubelet was restarted and has lost the state of the container.
		s.Started = firstTime(startTime(st), pod.CreationTimestamp.Time)
	}
	if s.Started.IsZero() && !s.Over && s.Main == nil {
		s.Waiting = waiting(pod)
	}
	s.silent(pod)
	return s
}

func (s *State) main(c *corev1.ContainerStatus) {
	switch {
	case c.State.Running != nil:
		s.Started = c.State.Running.StartedAt.Time
	case c.State.Terminated != nil:
		s.Main = ended(c.State.Terminated)
		s.Started = c.State.Terminated.StartedAt.Time
	case c.LastTerminationState.Terminated != nil: // the container was restarted, which pipec never requests
		s.Started = c.LastTerminationState.Terminated.StartedAt.Time
	}
}

// sidecar takes in a container beside the main one.
func (s *State) sidecar(c *corev1.ContainerStatus) {
	for _, t := range []*corev1.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
		if t != nil && t.Reason == oomKilled && s.Starved == "" {
			s.Starved = c.Name
		}
	}
}

// restarts reports whether an init container is a sidecar, which is started again when it ends.
func restarts(pod *corev1.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool {
		return c.Name == name && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
}

func ended(t *corev1.ContainerStateTerminated) *Ended {
	return &Ended{ExitCode: int(t.ExitCode), Signal: int(t.Signal), Reason: t.Reason, Message: t.Message, At: t.FinishedAt.Time}
}

// silent sets Silent if the node is unreachable. The cluster then reports each of its pods as not ready although the containers
// are ready, and a deleted pod continues to exist.
func (s *State) silent(pod *corev1.Pod) {
	if s.Over || s.Main != nil {
		return
	}
	if pod.Status.Phase == corev1.PodUnknown { // its node doesn't report on it
		s.Silent = firstTime(s.Deleted, transition(pod, corev1.PodReady), s.Started, pod.CreationTimestamp.Time)
	}
	if s.Started.IsZero() {
		return
	}
	ready, containers := condition(pod, corev1.PodReady), condition(pod, corev1.ContainersReady)
	if len(pod.Spec.ReadinessGates) == 0 && ready != nil && containers != nil &&
		ready.Status == corev1.ConditionFalse && containers.Status == corev1.ConditionTrue {
		s.Silent = ready.LastTransitionTime.Time
	}
	if pod.Status.Reason == "NodeLost" && s.Silent.IsZero() {
		s.Silent = s.Deleted
	}
}

// startTime returns when the kubelet has accepted the pod; zero: it has not.
func startTime(st *corev1.PodStatus) time.Time {
	if st.StartTime == nil {
		return time.Time{}
	}
	return st.StartTime.Time
}

// transition returns the time of the last change of a condition; zero if there is none.
func transition(pod *corev1.Pod, kind corev1.PodConditionType) time.Time {
	if c := condition(pod, kind); c != nil {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// firstTime returns the first time that is set; the Unix epoch if none is.
func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Unix(0, 0)
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	i := slices.IndexFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		return nil
	}
	return &pod.Status.Conditions[i]
}
