package world

import (
	"net/http"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
)

// Server is the API server of a simulation. It answers the requests of coordinators; its other methods are what nodes,
// controllers and users do, and don't fail.
type Server interface {
	http.RoundTripper
	// Go runs f in a goroutine that the end of the simulation waits for.
	Go(f func())
	// Decode decodes the body of a request that creates an object.
	Decode(body []byte) kubetest.Object
	// Put creates an object, and returns its UID.
	Put(o kubetest.Object) types.UID
	// Remove removes an object at once.
	Remove(resource, name string)
	// Pod returns a pod; false: there is none.
	Pod(name string) (*corev1.Pod, bool)
	// UpdatePod changes the node and the status of a pod, and reports whether there is one.
	UpdatePod(name string, change func(*corev1.Pod)) bool
	// DeletePod requests the deletion of a pod.
	DeletePod(name string)
	// AnnotateJob sets an annotation of a Job.
	AnnotateJob(job, name, value string)
	// FinishJob sets the status of a Job that has ended, unless it has ended before.
	FinishJob(job string, succeeded bool)
}

// simulated is a server in memory.
type simulated struct{ *kubetest.API }

func newSimulated(t *testing.T, watchList bool, kubelet func(corev1.Pod)) Server {
	a := kubetest.New(t)
	a.WatchList, a.Kubelet = watchList, kubelet
	return simulated{a}
}

// Put implements Server.
func (s simulated) Put(o kubetest.Object) types.UID {
	s.API.Put(o)
	return o.GetUID()
}

// Pod implements Server.
func (s simulated) Pod(name string) (*corev1.Pod, bool) {
	return kubetest.Find[*corev1.Pod](s.API, "pods", name)
}

// UpdatePod implements Server.
func (s simulated) UpdatePod(name string, change func(*corev1.Pod)) bool {
	return kubetest.Update(s.API, "pods", name, change)
}

// DeletePod implements Server.
func (s simulated) DeletePod(name string) {
	kubetest.Update(s.API, "pods", name, func(p *corev1.Pod) {
		at := metav1.Now()
		p.DeletionTimestamp = &at
	})
}

// AnnotateJob implements Server.
func (s simulated) AnnotateJob(job, name, value string) {
	kubetest.Update(s.API, "jobs", job, func(j *batchv1.Job) {
		if j.Annotations == nil {
			j.Annotations = map[string]string{}
		}
		j.Annotations[name] = value
	})
}

// FinishJob implements Server.
func (s simulated) FinishJob(job string, succeeded bool) {
	kubetest.Update(s.API, "jobs", job, func(j *batchv1.Job) { Finish(j, succeeded) })
}
