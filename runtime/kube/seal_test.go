package kube

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// sealOf returns the key that a pod has; "": none.
func sealOf(pod *corev1.Pod) string {
	for _, e := range pod.Spec.Containers[0].Env {
		if e.Name == kube.EnvSeal {
			return e.Value
		}
	}
	return ""
}

// wrapperReport is what a pod leaves behind.
type wrapperReport struct {
	result   *record.Result // in the store; nil: none
	key      string         // with which the result is sealed; "": none, "pod": that of the pod
	raw      string         // the content of result.json, instead of result
	message  *record.Result // in the termination message; nil: none
	sealed   bool           // the message is sealed
	digested bool           // the message has the digest of the result that it describes
	code     int            // of the container
	reason   string         // of the container
	gone     bool           // the pod is gone before the coordinator has seen its end
}

// TestForged: reports count only if the agent has written them. A step that writes a success before it fails has failed, whether
// its pod remains or not, and a step can't claim that the infrastructure has failed.
func TestForged(t *testing.T) {
	code := 7
	success := &record.Result{Version: 1, Run: "run", Step: "a", Attempt: 1, Status: record.Succeeded}
	failure := &record.Result{Version: 1, Run: "run", Step: "a", Attempt: 1, Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError, ExitCode: &code}
	infrastructure := &record.Result{Version: 1, Run: "run", Step: "a", Attempt: 1, Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonStore}
	later := *success
	later.ToldToStop = true
	for name, c := range map[string]struct {
		left     wrapperReport
		status   record.Status
		reason   string
		attempts int
	}{
		"honest success":            {wrapperReport{result: success, key: "pod", message: success, sealed: true, digested: true}, record.Succeeded, "", 1},
		"honest success, gone":      {wrapperReport{result: success, key: "pod", gone: true}, record.Succeeded, "", 1},
		"honest success, no word":   {wrapperReport{result: success, key: "pod"}, record.Succeeded, "", 1},
		"honest failure":            {wrapperReport{result: failure, key: "pod", message: failure, sealed: true, digested: true, code: 7}, record.Failed, record.ReasonError, 1},
		"honest infrastructure":     {wrapperReport{message: infrastructure, sealed: true, code: 3}, record.Failed, record.ReasonStore, 3},
		"forged success":            {wrapperReport{result: success, message: failure, sealed: true, code: 7}, record.Failed, record.ReasonError, 1},
		"forged success, gone":      {wrapperReport{result: success, gone: true}, record.Failed, ReasonForged, 1},
		"forged success, no word":   {wrapperReport{result: success, code: 137, reason: "Error"}, record.Failed, ReasonForged, 1},
		"both forged":               {wrapperReport{result: success, message: success, digested: true, code: 137}, record.Failed, ReasonForged, 1},
		"another key":               {wrapperReport{result: success, key: "k", message: failure, sealed: true, code: 7}, record.Failed, record.ReasonError, 1},
		"replaced":                  {wrapperReport{result: &later, key: "pod", message: success, sealed: true, digested: true}, record.Failed, ReasonForged, 1},
		"garbage":                   {wrapperReport{raw: "{", message: failure, sealed: true, code: 7}, record.Failed, record.ReasonError, 1},
		"huge":                      {wrapperReport{raw: `{"version":1,"status":"succeeded","message":"` + strings.Repeat("x", 5<<20) + `"}`, gone: true}, record.Failed, ReasonForged, 1},
		"claimed infrastructure":    {wrapperReport{message: infrastructure, code: 1}, record.Failed, ReasonForged, 1},
		"claimed and out of memory": {wrapperReport{message: infrastructure, code: 137, reason: "OOMKilled"}, record.Failed, record.ReasonOOM, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, oneStep(2))
				r.seal = true
				made := 0
				r.api.Kubelet = func(pod corev1.Pod) {
					made++
					r.leave(t, &pod, &c.left)
				}
				s := r.start(r.store, "one", io.Discard).wait(t).Steps[0]
				if s.Status != c.status || s.Reason != c.reason || made != c.attempts {
					t.Errorf("%d attempts, %+v", made, s)
				}
			})
		})
	}
}

// leave runs a pod that leaves something behind.
func (r *rig) leave(t *testing.T, pod *corev1.Pod, left *wrapperReport) {
	task, err := step.DecodeTask(context.Background(), r.store, pod.Spec.Containers[0].Env[0].Value)
	if err != nil {
		t.Error(err)
		return
	}
	start := metav1.Now()
	kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: kube.ContainerMain, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: start}}}}
	})
	key := left.key
	if key == "pod" {
		key = sealOf(pod)
	}
	data := []byte(left.raw)
	if left.result != nil {
		result := *left.result
		result.Attempt = task.Attempt
		plain, err := store.EncodeJSON(&result)
		if err != nil {
			t.Error(err)
		}
		data = record.Seal(key, record.SealResult, plain)
	}
	if len(data) > 0 {
		if err := r.store.Put(context.Background(), task.ResultKey(), bytes.NewReader(data), store.IfAbsent); err != nil {
			t.Error(err)
		}
	}
	if left.gone {
		r.api.Remove("pods", pod.Name)
		return
	}
	message := ""
	if left.message != nil {
		key := ""
		if left.sealed {
			key = sealOf(pod)
		}
		said := *left.message
		said.Attempt = task.Attempt
		message = string(step.NewTermination(&said, left.digested, key).Encode())
	}
	kubetest.Update(r.api, "pods", pod.Name, func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodFailed
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			StartedAt: start, FinishedAt: metav1.Now(), ExitCode: int32(left.code), Reason: left.reason, Message: message,
		}}
	})
}
