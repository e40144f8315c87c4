package kubeclient

import (
	"maps"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// slim removes from a pod what no reader of a watch needs.
func slim(pod *corev1.Pod) {
	pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName, ReadinessGates: pod.Spec.ReadinessGates, InitContainers: sidecars(pod)}
	pod.ManagedFields = nil
	maps.DeleteFunc(pod.Labels, foreign)
	maps.DeleteFunc(pod.Annotations, foreign)
	s := &pod.Status
	s.HostIPs, s.PodIPs, s.ResourceClaimStatuses, s.EphemeralContainerStatuses = nil, nil, nil, nil
	for _, containers := range [][]corev1.ContainerStatus{s.ContainerStatuses, s.InitContainerStatuses} {
		for i := range containers {
			c := &containers[i]
			c.ImageID, c.ContainerID, c.VolumeMounts, c.Resources, c.AllocatedResources, c.AllocatedResourcesStatus = "", "", nil, nil, nil, nil
		}
	}
}

// sidecars returns the init containers that are started again when they end, without what no reader of a watch needs. Readers
// distinguish them by that from init containers that have failed.
func sidecars(pod *corev1.Pod) (out []corev1.Container) {
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.RestartPolicy != nil {
			out = append(out, corev1.Container{Name: c.Name, RestartPolicy: c.RestartPolicy})
		}
	}
	return out
}

// foreign reports whether a label or an annotation belongs neither to pipec nor to Jobs.
func foreign(key, _ string) bool {
	return !strings.HasPrefix(key, "pipec.dev/") && !strings.HasPrefix(key, "batch.kubernetes.io/") && key != "job-name" && key != "controller-uid"
}

// packed is an object in little memory: a pod as the bytes of its encoding, which need a quarter of the memory.
type packed[T object] struct {
	uid    types.UID
	object T // nil: it is encoded
	pod    []byte
}

func pack[T object](o T) packed[T] {
	out := packed[T]{uid: o.GetUID(), object: o}
	if pod, ok := any(o).(*corev1.Pod); ok {
		if data, err := pod.Marshal(); err == nil {
			var none T
			out.object, out.pod = none, data
		}
	}
	return out
}

func (p *packed[T]) unpack() (out T, ok bool) {
	if p.pod == nil {
		return p.object, true
	}
	pod := &corev1.Pod{}
	if err := pod.Unmarshal(p.pod); err != nil {
		return out, false
	}
	out, ok = any(pod).(T)
	return out, ok
}

// slimList removes from the pods of a list what no reader of a watch needs.
func slimList(list runtime.Object) {
	if pods, ok := list.(*corev1.PodList); ok {
		for i := range pods.Items {
			slim(&pods.Items[i])
		}
	}
}

// slimWatch returns a watch that removes from pods what no reader of it needs. If the list is streamed, the Reflector collects
// all objects before it passes them on. watch.Filter would do, but its goroutine does not end if it is stopped while an event
// waits for its reader.
func slimWatch(w watch.Interface) watch.Interface {
	s := &slimmed{Interface: w, out: make(chan watch.Event), stopped: make(chan struct{})}
	go s.run()
	return s
}

// slimmed is a watch whose pods are slim.
type slimmed struct {
	watch.Interface
	out     chan watch.Event
	stopped chan struct{}
	stop    sync.Once
}

func (s *slimmed) run() {
	defer close(s.out)
	for e := range s.Interface.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && e.Type != watch.Bookmark { // an annotation of a bookmark ends a streamed list
			slim(pod)
		}
		select {
		case s.out <- e:
		case <-s.stopped:
			return
		}
	}
}

// ResultChan returns the channel of the events.
func (s *slimmed) ResultChan() <-chan watch.Event { return s.out }

// Stop ends the watch.
func (s *slimmed) Stop() {
	s.stop.Do(func() { close(s.stopped) })
	s.Interface.Stop()
}
