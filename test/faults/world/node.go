package world

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// node is a pod with the kubelet of its node, and the wrapper in it.
type node struct {
	w     *World
	run   *run
	pod   pod
	name  string // of the pod
	uid   types.UID
	spec  corev1.PodSpec
	skew  time.Duration // of its clock
	wrap  *client       // the wrapper's network
	stop  context.CancelCauseFunc
	asked context.Context // ends when the pod is to end

	mu     sync.Mutex
	over   bool   // the pod's end was reported, or its object is gone
	silent bool   // the node isn't heard of
	marked bool   // its deletion was requested
	late   func() // reports the end of the container when the node is heard of again; nil: it has not ended
	start  metav1.Time
}

// kubelet runs a pod.
func (w *World) kubelet(p corev1.Pod) {
	asked, stop := context.WithCancelCause(context.Background())
	n := &node{w: w, pod: w.describe(&p), name: p.Name, uid: p.UID, spec: p.Spec, asked: asked, stop: stop}
	n.run = n.pod.run
	n.wrap = &client{w: w, run: n.run, kind: plan.Step, name: n.run.title("step " + n.pod.name()), strike: n.strike}
	defer stop(nil)
	w.mu.Lock()
	w.nodes[n.uid] = n
	w.made[n.name]++
	made, maker := w.made[n.name], w.maker[n.name]
	w.mu.Unlock()
	n.pod.note(maker, history.Created, n.uid)
	if !w.pause(asked, 300*time.Millisecond, p.Name+" pulls") || !n.moment("START") || !n.running() {
		return
	}
	script := n.run.Script(n.pod.step, n.pod.attempt, made)
	result, committed := n.wrapper(&script, made)
	if n.wrap.isDead() {
		return
	}
	if !w.pause(context.Background(), 20*time.Millisecond, p.Name+" ends") || !n.moment("END") {
		return
	}
	n.exited(&result, committed)
}

// wrapper runs the wrapper of the attempt, as cmd/pipec-agent does.
func (n *node) wrapper(script *Script, made int) (record.Result, bool) {
	w, st := n.w, n.wrap.bucket()
	task, err := step.DecodeTask(n.asked, st, n.variable(kube.EnvSpec))
	if err != nil {
		return record.Result{Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonStart, Message: err.Error()}, false
	}
	spec := &task.Spec
	spec.Root = filepath.Join(w.Dir, n.name+"-"+string(n.uid))
	if spec.Code == "" && spec.Dir == "" {
		spec.Dir = spec.ScratchDir()
	}
	result, err := step.Run(n.asked, spec, step.Deps{
		Store: st, Inherited: w.Environ, Memory: &step.Memory{}, Simulate: script.process(n),
		Seal: n.variable(kube.EnvSeal),
	})
	return result, err == nil
}

// note records something that the node does to the pod.
func (n *node) note(what history.What) { n.pod.note(n.run.title("node"), what, n.uid) }

// variable returns the value of a variable of the pod.
func (n *node) variable(name string) (value string) {
	for _, e := range n.spec.Containers[0].Env {
		if e.Name == name {
			value = e.Value
		}
	}
	return value
}

// running reports that the container runs; false: the pod doesn't exist any more.
func (n *node) running() bool {
	n.start = metav1.NewTime(time.Now().Add(n.skew))
	ok := n.update(func(p *corev1.Pod) {
		p.Spec.NodeName, p.Status.Phase = "node", corev1.PodRunning
		p.Status.Conditions = []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
		}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: kube.ContainerMain, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: n.start}},
		}}
	})
	if ok {
		n.note(history.Running)
	}
	return ok
}

// exited reports the end of the wrapper.
func (n *node) exited(r *record.Result, committed bool) {
	code := 93
	switch {
	case !committed:
		code = 92
	case r.Status == record.Succeeded:
		code = 0
	case r.ExitCode != nil && *r.ExitCode != 0:
		code = *r.ExitCode
	}
	n.terminated(code, map[bool]string{true: "Completed", false: "Error"}[code == 0], string(step.NewTermination(r, committed, n.variable(kube.EnvSeal)).Encode()), "")
}

// terminated reports the end of the container and of the pod.
func (n *node) terminated(code int, reason, message, why string) {
	if n.hush(code, reason, message, why) {
		return
	}
	n.end(func(p *corev1.Pod) {
		p.Status.Phase, p.Status.Reason = corev1.PodFailed, why
		if code == 0 {
			p.Status.Phase = corev1.PodSucceeded
		}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: kube.ContainerMain, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{
				ExitCode: int32(code), Reason: reason, Message: message, StartedAt: n.start, FinishedAt: metav1.NewTime(time.Now().Add(n.skew)),
			},
		}}}
	})
}

// end makes the last change of the pod, and removes it if its deletion was requested.
func (n *node) end(change func(*corev1.Pod)) {
	n.mu.Lock()
	over := n.over
	n.over = true
	n.mu.Unlock()
	if over {
		return
	}
	if n.update(change) {
		n.note(history.Ended)
	}
	n.mu.Lock()
	marked := n.marked
	n.mu.Unlock()
	if marked {
		n.remove()
	}
}

// update changes the pod's object, unless it is gone or another one.
func (n *node) update(change func(*corev1.Pod)) bool {
	changed := false
	n.w.API.UpdatePod(n.name, func(p *corev1.Pod) {
		if p.UID == n.uid {
			change(p)
			changed = true
		}
	})
	return changed
}

// remove removes the pod's object.
func (n *node) remove() {
	if p, ok := n.w.API.Pod(n.name); ok && p.UID == n.uid {
		n.w.API.Remove("pods", n.name)
	}
	n.gone()
}

func (n *node) gone() {
	n.w.mu.Lock()
	_, there := n.w.nodes[n.uid]
	delete(n.w.nodes, n.uid)
	n.w.mu.Unlock()
	if there {
		n.note(history.Gone)
	}
}
