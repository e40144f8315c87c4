package podstate

import (
	"fmt"
	"strings"
	"syscall"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Reasons that only pods end for.
const (
	ReasonEvicted  = "Evicted"
	ReasonDeadline = "DeadlineExceeded"
	ReasonDeleted  = "PodDeleted"
	ReasonRefused  = "PodRefused" // by the node that it was given to
	ReasonNodeLost = "NodeLost"
)

// Verdict is how an attempt has ended, by what its wrapper has committed (nil: nothing), and by its pod as it was seen
// last. gone says that the pod is no more. The result has the names and times of neither: the caller fills them in.
//
// A committed result counts, except if the pod has a better reason: the wrapper gets a signal without its cause,
// and not every kernel reports that a process was killed because it ran out of memory.
func Verdict(committed *record.Result, s *State, gone bool) record.Result {
	if committed != nil {
		return refine(*committed, s, gone)
	}
	r := record.Result{Status: record.Failed, Class: record.ClassInfrastructure}
	if s.Main != nil {
		if t, ok := step.ParseTermination(s.Main.Message); ok && t.Result == "" && t.Status != record.Succeeded {
			r.Status, r.Class, r.Reason, r.Message, r.ExitCode = t.Status, t.Class, t.Reason, t.Message, t.ExitCode
			return refine(r, s, gone)
		}
		if reason, message, ok := step.CrashReason(s.Main.Message); ok {
			r.Class, r.Reason, r.Message = record.ClassUser, reason, message
			return r
		}
	}
	switch {
	case s.Main != nil && s.Main.Reason == oomKilled:
		r.Class, r.Reason = record.ClassUser, record.ReasonOOM
		r.Message = "the kernel killed it: it ran out of memory"
	case outside(&r, s, gone):
	case s.Main != nil && s.Main.Started():
		r.Reason, r.Message = record.ReasonLost, "its container ended ("+s.Main.String()+") without a result"
	case s.Main != nil:
		r.Class, r.Reason = record.ClassUser, record.ReasonStart
		r.Message = "its container could not be started: " + firstOf(s.Main.Message, s.Main.Reason)
	case s.Init != nil && s.InitName == kube.ContainerAgent:
		r.Reason, r.Message = record.ReasonStart, "the agent could not be copied into the pod: "+s.Init.why()
	case s.Init != nil:
		r.Class, r.Reason = record.ClassUser, record.ReasonStart
		r.Message = fmt.Sprintf("the init container %q ended: %s", s.InitName, s.Init.why())
	case s.Over:
		r.Reason, r.Message = ReasonRefused, firstOf(join(s.Reason, s.Message), "the pod ended before its container ran")
	default:
		r.Reason, r.Message = record.ReasonLost, "the pod is gone, and there is no result"
	}
	return r
}

const oomKilled = "OOMKilled"

// refine lets the pod say why.
func refine(r record.Result, s *State, gone bool) record.Result {
	switch {
	case r.Status == record.Succeeded:
	case s.Main != nil && s.Main.Reason == oomKilled && r.Status == record.Failed && (r.Reason == record.ReasonError || r.Reason == record.ReasonSignal):
		r.Class, r.Reason, r.Message = record.ClassUser, record.ReasonOOM, "the kernel killed it: it ran out of memory"
	case r.Class == record.ClassInfrastructure && r.Reason == record.ReasonShutdown:
		outside(&r, s, gone)
	}
	return r
}

// outside returns why a pod was ended from outside; false: it is not known that it was.
func outside(r *record.Result, s *State, gone bool) bool {
	switch {
	case s.Reason == ReasonDeadline:
		r.Status, r.Class, r.Reason = record.TimedOut, record.ClassUser, ReasonDeadline
		r.Message = "its pod exceeded its activeDeadlineSeconds: the step's timeout, and the time before and after the process"
	case s.Reason == ReasonEvicted && s.Disruption == nil && ownStorage(s.Message):
		r.Class, r.Reason, r.Message = record.ClassUser, ReasonEvicted, "its pod was evicted: "+s.Message
	case s.Reason == ReasonEvicted:
		r.Reason, r.Message = ReasonEvicted, "its pod was evicted: "+s.Message
	case s.Disruption != nil:
		r.Reason, r.Message = s.Disruption.Reason, "its pod was ended by the cluster: "+firstOf(s.Disruption.Message, s.Disruption.Reason)
	case !s.Deleted.IsZero() || gone:
		r.Reason, r.Message = ReasonDeleted, "someone has deleted its pod"
	case s.Reason == "Terminated" || s.Reason == "NodeShutdown" || s.Reason == "Shutdown":
		r.Reason, r.Message = record.ReasonShutdown, "its node was shut down: "+s.Message
	default:
		return false
	}
	return true
}

// ownStorage reports whether an eviction's message is about what the pod itself has written: a limit of its own, and no
// shortage of the node. The messages are the kubelet's.
func ownStorage(message string) bool {
	return strings.Contains(message, "exceeded its local ephemeral storage limit") ||
		strings.Contains(message, "ephemeral local storage usage exceeds the total limit") ||
		strings.Contains(message, "Usage of EmptyDir volume")
}

// Started reports whether the container's process ever ran.
func (e *Ended) Started() bool { return e.Reason != "StartError" && e.Reason != "ContainerCannotRun" }

func (e *Ended) String() string {
	text := fmt.Sprintf("exit code %d", e.ExitCode)
	if e.ExitCode > 128 && e.ExitCode < 128+65 {
		text += ", " + syscall.Signal(e.ExitCode-128).String()
	}
	if e.Reason != "" && e.Reason != "Error" && e.Reason != "Completed" {
		text += ", " + e.Reason
	}
	return text
}

// why is String, and what the container itself or the runtime said.
func (e *Ended) why() string {
	return strings.TrimSuffix(e.String()+": "+strings.TrimSpace(e.Message), ": ")
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func join(reason, message string) string {
	if reason == "" || message == "" {
		return reason + message
	}
	return reason + ": " + message
}
