package podstate

import (
	"fmt"
	"strings"
	"syscall"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Reasons that only pods have.
const (
	ReasonEvicted  = "Evicted"
	ReasonDeadline = "DeadlineExceeded"
	ReasonDeleted  = "PodDeleted"
	ReasonRefused  = "PodRefused" // the node rejected the pod
	ReasonNodeLost = "NodeLost"
)

// Verdict returns how an attempt has ended, from the result that its wrapper has committed (nil: none) and the last known state
// of its pod. gone reports that the pod no longer exists. The caller sets the names and times of the result.
//
// A committed result counts, unless the pod has a more precise reason: the wrapper receives a signal without its cause, and
// not every kernel reports that a process was killed because memory ran out.
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
		if reason, message, ok := step.CrashReason(s.Main.ExitCode, s.Main.Message); ok {
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

// refine replaces the reason of a committed result by the reason of the pod, if that is more precise.
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

// outside returns why a pod was ended from outside. It returns false if that is not known.
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

// ownStorage reports whether a pod was evicted because it exceeded its own storage limit, and not because the node ran out of
// storage. It recognizes the messages of the kubelet.
func ownStorage(message string) bool {
	return strings.Contains(message, "exceeded its local ephemeral storage limit") ||
		strings.Contains(message, "ephemeral local storage usage exceeds the total limit") ||
		strings.Contains(message, "Usage of EmptyDir volume")
}

// Started reports whether the process of the container has run.
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

// why returns the text of String and the message of the container or its runtime.
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
