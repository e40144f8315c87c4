package podstate

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Part is a part of a pod's status, in which a state is reported.
type Part int

// The parts.
const (
	Any        Part = iota // nothing else is known
	Pod                    // the reason of a pod that has ended
	Disruption             // the condition DisruptionTarget
	Deleted                // the pod is deleted, or does not exist any more
	Agent                  // the termination message: the agent could not commit a result, and reports why
	Promise                // the termination message: the agent has committed a result
	Crash                  // the exit status and an empty termination message: the agent has crashed
	Main                   // the main container has run, and has ended
	Start                  // the main container could not be started
	Copy                   // the init container that copies the agent has failed
	Init                   // another init container has failed
	Node                   // the node does not report on the pod
	Creation               // the API server forbids the creation of the pod
	Scheduling             // the condition PodScheduled is false
	Waits                  // a container waits
)

// cause is what a part of a pod reports.
type cause struct {
	reason, message string
	end             string // how a container has ended
	code            int    // its exit code; -1: no container has ended
	name            string // its name, quoted

	agent *step.Termination // of the part Agent
}

// view is a state and whether the pod still exists.
type view struct {
	*State
	gone bool
}

// report returns what a part of the pod reports, if it reports something.
func (v view) report(p Part) (c cause, ok bool) {
	switch p {
	case Any:
		return cause{code: -1}, true
	case Pod:
		return cause{reason: v.Reason, message: v.Message, code: -1}, v.Over
	case Disruption:
		if v.Disruption != nil {
			return cause{reason: v.Disruption.Reason, message: v.Disruption.Message, code: -1}, true
		}
	case Deleted:
		return cause{code: -1}, !v.Deleted.IsZero() || v.gone
	case Agent, Promise, Crash:
		return v.termination(p)
	case Main:
		return v.container(v.Main, kube.ContainerMain, v.Main != nil && v.Main.Started())
	case Start:
		return v.container(v.Main, kube.ContainerMain, v.Main != nil && !v.Main.Started())
	case Copy:
		return v.container(v.Init, v.InitName, v.Init != nil && v.InitName == kube.ContainerAgent)
	case Init:
		return v.container(v.Init, v.InitName, v.Init != nil && v.InitName != kube.ContainerAgent)
	}
	return cause{}, false
}

// container returns how a container has ended. ok is returned.
func (v view) container(e *Ended, name string, ok bool) (cause, bool) {
	if !ok {
		return cause{}, false
	}
	c := cause{reason: e.Reason, message: strings.TrimSpace(e.Message), end: e.String(), code: e.ExitCode, name: strconv.Quote(name)}
	if name != kube.ContainerMain && c.message != "" {
		c.end += ": " + c.message
	}
	return c, true
}

// termination returns what the termination message of the main container reports.
func (v view) termination(p Part) (cause, bool) {
	if v.Main == nil {
		return cause{}, false
	}
	if p == Crash {
		_, message, ok := step.CrashReason(v.Main.ExitCode, v.Main.Message)
		return cause{message: message, code: v.Main.ExitCode}, ok
	}
	t, ok := step.ParseTermination(v.Main.Message)
	if !ok {
		return cause{}, false
	}
	promised := t.Result != "" || t.Status == record.Succeeded
	return cause{reason: t.Reason, message: t.Message, end: v.Main.String(), code: v.Main.ExitCode, agent: t}, promised == (p == Promise)
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
