package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"pipec.dev/pipec/runtime/kube"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	names "pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// pipeline is the name of the pipeline.
const pipeline = "p"

// image is what the pods would run.
const image = "registry.example.com/team/train@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// wide returns the program of a run with one step, which has an instance for each element of a list.
func (w *world) wide(steps int) (*program.Program, error) {
	keys, err := json.Marshal(make([]int, steps))
	if err != nil {
		return nil, err
	}
	p := &program.Program{Version: program.Version, Pipeline: pipeline, OnFailure: "continue", MaxParallel: 200, Steps: []program.Step{{
		Name: "fan", Image: image, Command: []program.Value{{Const: json.RawMessage(`"true"`)}}, Grace: program.Duration(30 * time.Second),
		Retry: program.Retry{Attempts: 1}, Outputs: []program.Output{{Name: "x", Type: "number"}}, PodPatch: json.RawMessage(`{"schedulerName":"none"}`),
		ForEach: &program.ForEach{Type: "list(number)", Value: program.Value{Const: keys}, MaxInstances: steps},
		Inputs:  []program.Input{{Name: "k", Type: "number", Value: program.Value{Ref: "each.value"}}},
	}}}
	stack := &program.Stack{
		Name: "k8s", Orchestrator: program.Orchestrator{Kind: "kubernetes", Namespace: w.namespace}, ArtifactStore: program.Store{Kind: "s3", Path: "s3://bucket"},
		Registry: &program.Registry{Kind: "generic", URI: "registry.example.com/team"},
	}
	bound, _, err := pod.Bind(p, stack, nil, pod.Options{Version: "v1.37.2"})
	return bound, err
}

// drive drives a run to its end, as its coordinator does.
func (w *world) drive(ctx context.Context, steps int) (*meter, error) {
	p, err := w.wide(steps)
	if err != nil {
		return nil, err
	}
	encoded, err := p.Encode()
	if err != nil {
		return nil, err
	}
	off := true
	job, err := w.api.BatchV1().Jobs(w.namespace).Create(ctx, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run"}, Spec: batchv1.JobSpec{
		Suspend: &off,
		Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: names.ContainerCoordinator, Image: image}},
		}},
	}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	config, m := w.config(w.coordinator())
	c, err := kubeclient.New(config, w.namespace)
	if err != nil {
		return nil, err
	}
	stop, err := w.nodes(ctx, names.LabelRunUID+"="+string(job.UID))
	if err != nil {
		return nil, err
	}
	defer stop()
	end, err := kube.Coordinate(ctx, kube.Options{
		Client: c, Store: w.store, Program: encoded, Namespace: w.namespace, Job: job.Name, JobUID: string(job.UID), Pod: "c", PodUID: "c", Out: io.Discard,
	})
	if err == nil && end.Status != record.Succeeded {
		err = fmt.Errorf("the run ended as %s: %s", end.Status, end.Message)
	}
	return m, err
}

// nodes ends the pods that a selector selects, until the function is called that it returns.
func (w *world) nodes(ctx context.Context, selector string) (stop func(), err error) {
	ctx, stop = context.WithCancel(ctx)
	api, err := kubeclient.New(w.admin, w.namespace)
	if err != nil {
		return stop, err
	}
	go api.WatchPods(ctx, selector, kubeclient.Watcher[*corev1.Pod]{
		Changed: func(p *corev1.Pod) {
			if p.Status.Phase == corev1.PodPending && p.DeletionTimestamp == nil {
				go w.end(ctx, p.Name)
			}
		},
		Gone: func(*corev1.Pod) {},
	})
	return stop, nil
}

// end commits the result of a pod, as its wrapper does, and reports its end, as its kubelet does.
func (w *world) end(ctx context.Context, name string) {
	if err := w.ends(ctx, name); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "bench: the pod", name, "can't end:", err)
	}
}

func (w *world) ends(ctx context.Context, name string) error {
	p, err := w.api.CoreV1().Pods(w.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	start := metav1.Now()
	for _, e := range p.Spec.Containers[0].Env {
		if e.Name != names.EnvSpec {
			continue
		}
		task, err := step.DecodeTask(ctx, w.store, e.Value)
		if err != nil {
			return err
		}
		r := &record.Result{
			Version: record.Version, Run: task.Run, Step: task.Step, Attempt: task.Attempt, Status: record.Succeeded, StartedAt: start.UTC(), EndedAt: start.UTC(),
			Outputs: []record.Datum{{Name: "x", Type: "number", Value: json.RawMessage("1.5")}},
		}
		if err := store.WriteJSON(ctx, w.store, task.ResultKey(), r, store.IfAbsent); err != nil {
			return err
		}
	}
	p.Status.Phase = corev1.PodSucceeded
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: names.ContainerMain, State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{StartedAt: start, FinishedAt: start, Reason: "Completed"},
	}}}
	_, err = w.api.CoreV1().Pods(w.namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{})
	return err
}

// plain is how many connections plainly uses.
const plain = 8

// plainly creates as many pods as a run has, waits until they have ended, and deletes them, with a few connections that know
// nothing of one another. That is what a script or a simple controller does.
func (w *world) plainly(ctx context.Context, pods int) (*meter, error) {
	config, m := w.config(w.coordinator())
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	const label = "plain"
	stop, err := w.nodes(ctx, label)
	if err != nil {
		return nil, err
	}
	defer stop()
	each := func(do func(name string) error) error {
		var g errgroup.Group
		g.SetLimit(plain)
		for i := range pods {
			g.Go(func() error { return do(fmt.Sprint("plain-", i)) })
		}
		return g.Wait()
	}
	err = each(func(name string) error {
		p := barePod()
		p.Name, p.Labels = name, map[string]string{label: ""}
		_, err := api.CoreV1().Pods(w.namespace).Create(ctx, p, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	now := int64(0)
	return m, each(func(name string) error {
		return api.CoreV1().Pods(w.namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	})
}

func barePod() *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, SchedulerName: "none",
		Containers: []corev1.Container{{Name: names.ContainerMain, Image: image, Command: strings.Fields("true")}},
	}}
}

// unlimited is how many connections flood uses.
const unlimited = 128

// flood sends requests to create pods as fast as the server answers, as the coordinator's account. They are dry runs.
func (w *world) flood(ctx context.Context, duration time.Duration) (*meter, error) {
	config, m := w.config(w.coordinator())
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	over := time.Now().Add(duration)
	var g errgroup.Group
	for range unlimited {
		g.Go(func() error {
			p := barePod()
			p.GenerateName = "flood-"
			for ctx.Err() == nil && time.Now().Before(over) {
				if _, err := api.CoreV1().Pods(w.namespace).Create(ctx, p, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	return m, g.Wait()
}
