package kubeclient

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// slim removes from a pod what no reader of a watch needs.
func slim(pod *corev1.Pod) {
	pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName, ReadinessGates: pod.Spec.ReadinessGates}
	pod.ManagedFields = nil
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
		if pod, ok := e.Object.(*corev1.Pod); ok {
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
