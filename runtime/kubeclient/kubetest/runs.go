package kubetest

import (
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/kube"
)

// Namespace contains the runs that the methods of this file create.
const Namespace = "ns"

// JobUID returns the UID of the Job that PutJob creates.
func JobUID(job string) string { return "uid-of-" + job }

// PutJob creates the Job of a run.
func (a *API) PutJob(job string) {
	a.Put(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: job, Namespace: Namespace, UID: types.UID(JobUID(job))}})
}

// PutCoordinator creates a running pod of a run's Job.
func (a *API) PutCoordinator(pod, job string) {
	a.putRunning(pod, map[string]string{batchv1.ControllerUidLabel: JobUID(job)})
}

// PutStep creates a running pod of a step of a run, with further labels.
func (a *API) PutStep(pod, job string, labels map[string]string) {
	all := map[string]string{kube.LabelRunUID: JobUID(job)}
	maps.Copy(all, labels)
	a.putRunning(pod, all)
}

func (a *API) putRunning(pod string, labels map[string]string) {
	a.Put(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: Namespace, UID: types.UID(pod), Labels: labels},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	})
}
