package world

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/kube"
)

// host creates a pod for coordinators, and returns its UID.
func (r *run) host(pod string) types.UID {
	return r.w.API.Put(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: Namespace, UID: types.UID(pod), Labels: map[string]string{batchv1.ControllerUidLabel: string(r.job)}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	})
}

// leave reports the end of a coordinator's pod. If the Job is gone, the pod is gone as well.
func (r *run) leave(pod string, phase corev1.PodPhase) {
	if r.isGone() {
		r.w.API.Remove("pods", pod)
		return
	}
	r.w.API.UpdatePod(pod, func(p *corev1.Pod) {
		p.Status.Phase = phase
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: kube.ContainerMain, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
		}}
	})
}

// finish reports the end of the Job, a little later.
func (r *run) finish(ctx context.Context, succeeded bool) {
	if r.w.pause(ctx, time.Second, r.title("the Job ends")) && !r.isGone() {
		r.w.API.FinishJob(r.Name, succeeded)
	}
}

// Finish sets the status of a Job that has ended, as the Job's controller does, unless it has ended before.
func Finish(j *batchv1.Job, succeeded bool) {
	if len(j.Status.Conditions) > 0 {
		return
	}
	at := metav1.Now()
	j.Status.StartTime = &j.CreationTimestamp
	ends := []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed}
	if succeeded {
		ends = []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete}
		j.Status.Succeeded, j.Status.CompletionTime = 1, &at
	}
	for _, c := range ends {
		j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: at, LastProbeTime: at})
	}
}
