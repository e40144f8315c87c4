package remote

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// object is what is watched.
type object interface {
	runtime.Object
	metav1.Object
}

// watcher tells what happens to the objects that a selector selects. Its functions are called one at a time.
type watcher[T object] struct {
	client    *rest.RESTClient
	params    runtime.ParameterCodec
	namespace string
	resource  string
	empty     T
	list      func() runtime.Object // an empty one
	labels    string
	fields    string

	changed func(T)
	gone    func(T)
	synced  func()      // all that there was at the start has been told
	fault   func(error) // why nothing is known at present; nil: it is known again

	known map[types.UID]T
}

func (c *Cluster) podWatcher(labels string) *watcher[*corev1.Pod] {
	return &watcher[*corev1.Pod]{client: c.core, params: c.params, namespace: c.namespace, resource: "pods", empty: &corev1.Pod{},
		list: func() runtime.Object { return &corev1.PodList{} }, labels: labels}
}

func (c *Cluster) jobWatcher(name string) *watcher[*batchv1.Job] {
	return &watcher[*batchv1.Job]{client: c.batch, params: c.params, namespace: c.namespace, resource: "jobs", empty: &batchv1.Job{},
		list: func() runtime.Object { return &batchv1.JobList{} }, fields: "metadata.name=" + name}
}

// run watches until ctx ends. Faults of the cluster are waited out.
func (w *watcher[T]) run(ctx context.Context) {
	w.known = map[types.UID]T{}
	request := func(ctx context.Context, o metav1.ListOptions) *rest.Request {
		o.LabelSelector, o.FieldSelector = w.labels, w.fields
		return w.client.Get().Namespace(w.namespace).Resource(w.resource).VersionedParams(&o, w.params)
	}
	tell := func(err error) {
		if ctx.Err() == nil {
			w.fault(err)
		}
	}
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			out := w.list()
			err := request(ctx, o).Do(ctx).Into(out)
			tell(err)
			return out, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			out, err := request(ctx, o).Watch(ctx)
			tell(err)
			return out, err
		},
	}
	silent := logr.Discard()
	r := cache.NewReflectorWithOptions(lw, w.empty, w, cache.ReflectorOptions{
		Name: "pipec", Logger: &silent, Backoff: backoff(),
	})
	r.RunWithContext(klog.NewContext(ctx, silent)) // faults are told, and not logged
}

// Add is ReflectorStore's, as those that follow.
func (w *watcher[T]) Add(obj any) error { return w.Update(obj) }

// Update takes an object in.
func (w *watcher[T]) Update(obj any) error {
	if o, ok := obj.(T); ok {
		w.known[o.GetUID()] = o
		w.changed(o)
	}
	return nil
}

// Delete tells that an object is gone.
func (w *watcher[T]) Delete(obj any) error {
	if o, ok := obj.(T); ok {
		delete(w.known, o.GetUID())
		w.gone(o)
	}
	return nil
}

// Replace takes in all that there is, at the start and after the watch was interrupted.
func (w *watcher[T]) Replace(all []any, _ string) error {
	there := make(map[types.UID]bool, len(all))
	for _, obj := range all {
		if o, ok := obj.(T); ok {
			there[o.GetUID()] = true
		}
	}
	for uid, o := range w.known {
		if !there[uid] {
			delete(w.known, uid)
			w.gone(o)
		}
	}
	for _, obj := range all {
		_ = w.Update(obj)
	}
	w.synced()
	return nil
}

// Resync has nothing to do.
func (w *watcher[T]) Resync() error { return nil }

// terminated is the state of a container that has ended; nil: it has not.
func terminated(pod *corev1.Pod, container string) *corev1.ContainerStateTerminated {
	if s := containerStatus(pod, container); s != nil {
		return s.State.Terminated
	}
	return nil
}

func containerStatus(pod *corev1.Pod, container string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if s := &pod.Status.ContainerStatuses[i]; s.Name == container {
			return s
		}
	}
	return nil
}

// begun is when a container started; zero: it has not.
func begun(pod *corev1.Pod, container string) time.Time {
	s := containerStatus(pod, container)
	switch {
	case s == nil:
	case s.State.Running != nil:
		return s.State.Running.StartedAt.Time
	case s.State.Terminated != nil:
		return s.State.Terminated.StartedAt.Time
	}
	return time.Time{}
}
