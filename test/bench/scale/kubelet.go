package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/bench/scale/api"
)

// kubelet runs the pods of a scenario: it commits the result that their wrappers would, and reports their ends. It is safe
// for concurrent use.
type kubelet struct {
	c     *scenario
	api   *api.API
	store store.Store

	mu      sync.Mutex
	ended   map[string]time.Time // by the name of the pod
	created map[string]string    // the pods of steps, by step
	started int
	dying   chan struct{} // closed when all pods run that are killed together
}

func newKubelet(c *scenario, a *api.API, s store.Store) *kubelet {
	return &kubelet{c: c, api: a, store: s, ended: map[string]time.Time{}, created: map[string]string{}, dying: make(chan struct{})}
}

// run runs a pod from its creation to its end.
func (k *kubelet) run(pod *corev1.Pod) {
	if err := k.live(pod); err != nil {
		fmt.Fprintln(os.Stderr, "bench: the pod", pod.Name, "can't run:", err)
	}
}

func (k *kubelet) live(pod *corev1.Pod) error {
	run, name, start := pod.Labels[kube.LabelRunUID], pod.Name, metav1.Now()
	err := k.api.UpdatePod(run, name, func(p *corev1.Pod) {
		p.Spec.NodeName, p.Status.Phase = "node", corev1.PodRunning
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: kube.ContainerMain, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: start}},
		}}
	})
	if err != nil {
		return err
	}
	if k.c.deaths {
		k.awaitAll()
		return k.end(pod, start, 137)
	}
	task, err := k.task(pod)
	if err != nil {
		return err
	}
	if task != nil {
		time.Sleep(k.lasts(task.Step))
		if err := k.commit(task, start.Time); err != nil {
			return err
		}
		k.mu.Lock()
		k.ended[name], k.created[task.Step] = time.Now(), name
		k.mu.Unlock()
	}
	return k.end(pod, start, 0)
}

// awaitAll waits until all pods of the run were started.
func (k *kubelet) awaitAll() {
	k.mu.Lock()
	if k.started++; k.started == k.c.steps {
		close(k.dying)
	}
	k.mu.Unlock()
	<-k.dying
}

// lasts returns how long the pod of a step runs: between half and one and a half of the average.
func (k *kubelet) lasts(step string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(step))
	return k.c.lasts/2 + k.c.lasts*time.Duration(h.Sum32()%1000)/1000
}

// task returns the task of a pod; nil: the pod does not belong to a run.
func (k *kubelet) task(pod *corev1.Pod) (*step.Task, error) {
	for _, e := range pod.Spec.Containers[0].Env {
		if e.Name == kube.EnvSpec {
			return step.DecodeTask(context.Background(), k.store, e.Value)
		}
	}
	return nil, nil
}

// commit writes the result of an attempt.
func (k *kubelet) commit(task *step.Task, start time.Time) error {
	r := &record.Result{
		Version: record.Version, Run: task.Run, Step: task.Step, Attempt: task.Attempt, Status: record.Succeeded, StartedAt: start.UTC(), EndedAt: time.Now().UTC(),
		Outputs: []record.Datum{{Name: "x", Type: "number", Value: json.RawMessage("1.5")}},
	}
	if k.c.value > 0 {
		r.Outputs[0].Type, r.Outputs[0].Value = "string", json.RawMessage(`"`+strings.Repeat("v", k.c.value)+`"`)
	}
	return store.WriteJSON(context.Background(), k.store, task.ResultKey(), r, store.IfAbsent)
}

func (k *kubelet) end(pod *corev1.Pod, start metav1.Time, code int32) error {
	return k.api.UpdatePod(pod.Labels[kube.LabelRunUID], pod.Name, func(p *corev1.Pod) {
		if len(p.Status.ContainerStatuses) == 0 {
			return
		}
		end := &corev1.ContainerStateTerminated{StartedAt: start, FinishedAt: metav1.Now(), Reason: "Completed", ExitCode: code}
		p.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			end.Reason, p.Status.Phase, p.Status.Reason = "Error", corev1.PodFailed, "Terminated"
		}
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: end}
	})
}
