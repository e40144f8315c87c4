package world

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// processStarted is called when the user's process starts.
func (n *node) processStarted() {
	n.note(history.Process)
	n.w.API.Go(func() { n.moment("PROCESS") })
	n.run.commands(n.pod.step)
}

// moment is a moment of the pod's life, at which a fault may strike. It reports whether the pod lives on.
func (n *node) moment(verb string) bool {
	_, m, planned := n.run.point(plan.Node, verb, "pods/"+n.pod.name())
	if !planned {
		return true
	}
	switch m.Name {
	case "clock":
		n.skew = time.Hour
	case "clock-behind":
		n.skew = -time.Hour
	case "vanish":
		n.perish(Vanish)
		return false
	case "evict":
		n.perish(Evict)
		return false
	case "die":
		n.die()
		return false
	case "preempt":
		n.update(func(p *corev1.Pod) {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "PreemptionByScheduler",
			})
		})
		n.w.deletePod(n.name)
	case "delete-pod":
		n.w.deletePod(n.name)
	case "silent":
		n.quiet(5 * time.Minute)
	}
	return true
}

// strike carries out a fault of the wrapper at one of its calls.
func (n *node) strike(m plan.Mode, when moment) {
	switch {
	case m.Name == "die-at" && when == after:
		n.die()
	case when == before:
		n.w.strikeStore(m)
	}
}

// perish ends the pod without its wrapper.
func (n *node) perish(how End) {
	n.wrap.die()
	switch how {
	case Vanish:
		n.mu.Lock()
		n.over = true
		n.mu.Unlock()
		n.remove()
	case Killed:
		n.terminated(137, "OOMKilled", "", "")
	case Evict:
		n.end(func(p *corev1.Pod) {
			p.Status.Phase, p.Status.Reason, p.Status.Message = corev1.PodFailed, "Evicted", "The node was low on resource: memory."
		})
	}
	n.stop(step.ErrShutdown)
}

// die ends the wrapper and the user's process by a signal from outside.
func (n *node) die() {
	n.wrap.die()
	n.terminated(137, "Error", "", "")
	n.stop(step.ErrShutdown)
}

// deleted takes in that the pod's deletion was requested: its processes are asked to end, and are killed at the end of its
// grace.
func (n *node) deleted() {
	n.mu.Lock()
	first := !n.marked
	n.marked = true
	over := n.over
	n.mu.Unlock()
	if _, ok := n.w.API.Pod(n.name); !ok || over {
		n.wrap.die()
		n.stop(step.ErrShutdown)
		n.remove()
		return
	}
	if !first {
		return
	}
	n.stop(step.ErrShutdown)
	grace := 30 * time.Second
	if s := n.spec.TerminationGracePeriodSeconds; s != nil {
		grace = time.Duration(*s) * time.Second
	}
	time.AfterFunc(n.w.until(grace, n.name+" grace"), func() {
		n.wrap.die()
		n.terminated(137, "Error", "", "")
	})
}

// deletePod deletes a pod as somebody else than a coordinator.
func (w *World) deletePod(name string) {
	w.API.DeletePod(name)
	w.deleted(name, "user")
}

// quiet takes the node's network to the API server away for a while.
func (n *node) quiet(wait time.Duration) {
	n.mu.Lock()
	n.silent = true
	n.mu.Unlock()
	n.update(func(p *corev1.Pod) { ready(p, corev1.ConditionFalse) })
	time.AfterFunc(n.w.until(wait, n.name+" is back"), func() {
		n.mu.Lock()
		n.silent = false
		report := n.late
		n.mu.Unlock()
		n.update(func(p *corev1.Pod) { ready(p, corev1.ConditionTrue) })
		if report != nil {
			report()
		}
	})
}

// hush keeps the end of the container back while the node is silent, and reports whether it is.
func (n *node) hush(code int, reason, message, why string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.silent {
		n.late = func() { n.terminated(code, reason, message, why) }
	}
	return n.silent
}

func ready(p *corev1.Pod, is corev1.ConditionStatus) {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == corev1.PodReady {
			c.Status, c.LastTransitionTime = is, metav1.Now()
		}
	}
}
