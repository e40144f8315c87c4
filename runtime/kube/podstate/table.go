package podstate

import (
	"cmp"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/record"
)

// Row is one row of the table of pod statuses: how a state of a pod is recognized, and what it means for the attempt.
type Row struct {
	Name string // of the state

	Part  Part     // where the state is reported
	Is    []string // the reasons that are reported; nil: any. A "*" at the end stands for any rest
	Says  []string // the message contains one of these texts; nil: any message
	Codes []int    // the container ended with one of these exit codes; nil: any code

	// Wait is the kind of cause for which a pod waits. The rest of the row takes effect when the pod has waited too long. Done: the
	// state is final.
	Wait Kind

	Status record.Status // "": failed
	Class  record.Class  // "": as the agent reports
	Reason string        // of the result; "": the reported one
	// Message is the message of the result. {reason} and {text} stand for what is reported, {end} for how a container has
	// ended, and {name} for its name.
	Message string

	// Replaces lists reasons of failures that the agent commits without knowing the cause. The row replaces them.
	Replaces []string
}

// Grows reports whether the next attempt gets more memory, if the step has an oom_memory_factor.
func (r *Row) Grows() bool { return r.Reason == record.ReasonOOM }

// Rows returns the table. The first row that matches counts.
func Rows() []Row { return slices.Concat(endings[:], waits[:]) }

const (
	user           = record.ClassUser
	infrastructure = record.ClassInfrastructure
)

// outOfMemory is the message of an attempt that ran out of memory.
const outOfMemory = "the kernel killed it: it ran out of memory"

// The failures whose cause the agent does not know: its process was killed, or the agent was asked to end.
var (
	killed  = []string{record.ReasonError, record.ReasonSignal}
	stopped = []string{record.ReasonShutdown}
)

// endings are the states of pods that have ended, most precise first.
var endings = [...]Row{
	{Name: "the agent reports a failure", Part: Agent, Message: "{text}"},
	{Name: "the agent crashes", Part: Crash, Class: user, Reason: record.ReasonInternal, Message: "{text}"},
	{Name: "the result is lost", Part: Promise, Class: infrastructure, Reason: record.ReasonLost,
		Message: "its container ended ({end}) without a result, although the agent reports one"},

	{Name: "out of memory", Part: Main, Is: []string{oomKilled}, Class: user, Reason: record.ReasonOOM, Message: outOfMemory, Replaces: killed},
	{Name: "out of memory at the start", Part: Start, Says: []string{"OOM-killed"}, Class: user, Reason: record.ReasonOOM,
		Message: outOfMemory + " before it started: {text}"},
	{Name: "the node can't start the container", Part: Start, Says: nodeTrouble[:], Class: infrastructure, Reason: record.ReasonStart,
		Message: "its node could not start its container: {text}"},
	{Name: "the container can't be started", Part: Start, Class: user, Reason: record.ReasonStart,
		Message: "its container could not be started: {text}"},

	{Name: "the deadline of the pod", Part: Pod, Is: []string{"DeadlineExceeded"}, Status: record.TimedOut, Class: user, Reason: ReasonDeadline,
		Message: "its pod exceeded its activeDeadlineSeconds: the timeout of the step or of its pipeline, and the time before and after the process", Replaces: stopped},
	{Name: "evicted because of its own limit", Part: Pod, Is: []string{"Evicted"}, Says: ownLimit[:], Class: user, Reason: ReasonEvicted,
		Message: "its pod was evicted: {text}", Replaces: stopped},
	{Name: "evicted", Part: Pod, Is: []string{"Evicted"}, Class: infrastructure, Reason: ReasonEvicted,
		Message: "its pod was evicted: {text}", Replaces: stopped},
	{Name: "the node shuts down", Part: Pod, Is: []string{"Terminated", "NodeShutdown", "Shutdown"}, Class: infrastructure, Reason: record.ReasonShutdown,
		Message: "its node was shut down: {text}", Replaces: stopped},
	{Name: "preempted by the node", Part: Pod, Is: []string{"Preempting"}, Class: infrastructure,
		Message: "its node ended its pod to make room for another one: {text}", Replaces: stopped},
	{Name: "ended by the cluster", Part: Disruption, Class: infrastructure,
		Message: "its pod was ended by the cluster: {text}", Replaces: stopped},
	{Name: "the node does not support the pod", Part: Pod, Is: []string{
		"SysctlForbidden", "AppArmor", "PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch", "InitContainerRestartPolicyForbidden",
		"SupplementalGroupsPolicyNotSupported", "PodLevelResourcesNotSupported",
	}, Class: user, Reason: ReasonRefused, Message: "its node rejected its pod: {reason}: {text}"},
	{Name: "the node rejects the pod", Part: Pod, Is: []string{
		"OutOf*", "NodeAffinity", "NodePorts", "UnexpectedAdmissionError", "TopologyAffinityError", "InvalidNodeInfo", "UnknownReason",
		"UnexpectedPredicateFailureType",
	}, Class: infrastructure, Reason: ReasonRefused, Message: "its node rejected its pod: {reason}: {text}"},
	{Name: "deleted", Part: Deleted, Class: infrastructure, Reason: ReasonDeleted, Message: "someone has deleted its pod", Replaces: stopped},

	{Name: "the node has lost the container", Part: Main, Is: []string{unknown}, Class: infrastructure, Reason: record.ReasonLost,
		Message: "its node has lost its container ({end}), and there is no result"},
	{Name: "the agent rejects its arguments", Part: Main, Codes: []int{usage}, Class: user, Reason: record.ReasonInternal,
		Message: "its container ended ({end}) without a result: the agent in its pod is of another version than its coordinator"},
	{Name: "the agent ends without a result", Part: Main, Class: infrastructure, Reason: record.ReasonLost,
		Message: "its container ended ({end}) without a result"},

	{Name: "the agent can't be copied", Part: Copy, Class: infrastructure, Reason: record.ReasonStart,
		Message: "the agent could not be copied into the pod: {end}"},
	{Name: "an init container runs out of memory", Part: Init, Is: []string{oomKilled}, Class: user, Reason: record.ReasonOOM,
		Message: "the init container {name} ran out of memory"},
	{Name: "the node has lost the init container", Part: Init, Is: []string{unknown}, Class: infrastructure, Reason: record.ReasonLost,
		Message: "its node has lost the init container {name} ({end})"},
	{Name: "an init container fails", Part: Init, Class: user, Reason: record.ReasonStart, Message: "the init container {name} ended: {end}"},
	{Name: "another end of the pod", Part: Pod, Class: infrastructure, Reason: ReasonRefused, Message: "its pod ended before its container ran: {reason}: {text}"},
	{Name: "no trace", Part: Any, Class: infrastructure, Reason: record.ReasonLost, Message: "the pod is gone, and there is no result"},
}

// waits are the states of pods that have not started, and of pods about which nothing is known.
var waits = [...]Row{
	{Name: "the node is unreachable", Part: Node, Wait: Lost, Class: infrastructure},
	{Name: "the quota is exhausted", Part: Creation, Says: []string{"exceeded quota", "status unknown for quota"}, Wait: Quota, Class: user},
	{Name: "there is no service account", Part: Creation, Says: []string{"error looking up service account"}, Wait: Config, Class: user},
	{Name: "held by a scheduling gate", Part: Scheduling, Is: []string{"SchedulingGated"}, Wait: Room, Class: user},
	{Name: "no node has room", Part: Scheduling, Wait: Room, Class: user},
	{Name: "the image can never be pulled", Part: Waits, Is: []string{"InvalidImageName", "ErrImageNeverPull"}, Wait: Never, Class: user},
	{Name: "the registry can't be reached", Part: Waits, Is: imageFaults[:], Says: registryTrouble[:], Wait: Image, Class: infrastructure},
	{Name: "the registry is unavailable", Part: Waits, Is: []string{"RegistryUnavailable"}, Wait: Image, Class: infrastructure},
	{Name: "the image can't be pulled", Part: Waits, Is: imageFaults[:], Wait: Image, Class: user},
	{Name: "the node can't create the container", Part: Waits, Is: containerFaults[:], Says: nodeTrouble[:], Wait: Config, Class: infrastructure},
	{Name: "the container can't be created", Part: Waits, Is: containerFaults[:], Wait: Config, Class: user},
	{Name: "nothing is reported", Part: Any, Wait: Starting, Class: user},
}

const (
	oomKilled = "OOMKilled"
	unknown   = "ContainerStatusUnknown"
	usage     = 64 // the agent's exit code for arguments that it does not know
)

// ownLimit are texts by which a kubelet reports that a pod has exceeded its own storage limit, and not that the node has run out
// of storage.
var ownLimit = [...]string{"exceeded its local ephemeral storage limit", "ephemeral local storage usage exceeds the total limit", "Usage of EmptyDir volume"}

// imageFaults are the reasons of containers that wait for their image.
var imageFaults = [...]string{"ErrImagePull", "ImagePullBackOff", "ImageInspectError", "SignatureValidationFailed"}

// containerFaults are the reasons of containers that can't be created, or that end soon and are started again.
var containerFaults = [...]string{
	"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError",
	"PostStartHookError", "CrashLoopBackOff",
}

// registryTrouble are texts by which a node reports that a registry does not work, and not that it has no such image.
var registryTrouble = [...]string{
	"dial tcp", "i/o timeout", "connection refused", "connection reset", "TLS handshake timeout", "deadline exceeded", "unexpected EOF", ": EOF",
	"500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout", "429 Too Many Requests", "toomanyrequests",
	"no space left on device",
}

// nodeTrouble are texts by which a node reports that it has a fault itself.
var nodeTrouble = [...]string{
	"context deadline exceeded", "DeadlineExceeded", "code = Unavailable", "no space left on device", "cannot allocate memory",
	"resource temporarily unavailable", "too many open files", "is reserved for", "transport is closing",
}

// matches reports whether the row describes what a part of a pod reports.
func (r *Row) matches(c *cause) bool {
	return (r.Is == nil || slices.ContainsFunc(r.Is, func(is string) bool {
		start, any := strings.CutSuffix(is, "*")
		return c.reason == is || any && strings.HasPrefix(c.reason, start)
	})) &&
		(r.Says == nil || slices.ContainsFunc(r.Says, func(text string) bool { return strings.Contains(c.message, text) })) &&
		(r.Codes == nil || slices.Contains(r.Codes, c.code))
}

// text returns the message of the row for what a part of a pod reports.
func (r *Row) text(c *cause) string {
	message := cmp.Or(c.message, c.reason, "no reason is reported")
	if c.reason == "" || c.message == "" {
		return strings.NewReplacer("{reason}: {text}", message, "{text}", message, "{end}", c.end, "{name}", c.name).Replace(r.Message)
	}
	return strings.NewReplacer("{reason}", c.reason, "{text}", message, "{end}", c.end, "{name}", c.name).Replace(r.Message)
}
