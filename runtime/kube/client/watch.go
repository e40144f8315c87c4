package client

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// object is what is watched: a pointer to one of the API's types.
type object interface {
	runtime.Object
	metav1.Object
}

// Watcher is told of what it watches. Its functions are called one at a time; while one works nothing more is read.
type Watcher[T object] struct {
	// Changed is told of each object as it is now, at the beginning too.
	Changed func(T)
	// Gone is told of an object that was removed, as far as its last state is known.
	Gone func(T)
	// Synced is told once, when all that was there at the beginning was told of.
	Synced func()
	// Fault is told of an error that keeps it from seeing what happens, and of nil when it sees again.
	Fault func(error)
}

// WatchPods tells of the pods that a label selector selects, until ctx ends.
func (c *Client) WatchPods(ctx context.Context, selector string, w Watcher[*corev1.Pod]) {
	follow(ctx, c, c.core, "pods", &corev1.Pod{}, &corev1.PodList{}, func(o *metav1.ListOptions) { o.LabelSelector = selector }, w)
}

// WatchJob tells of the Job with this name, until ctx ends.
func (c *Client) WatchJob(ctx context.Context, name string, w Watcher[*batchv1.Job]) {
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	follow(ctx, c, c.batch, "jobs", &batchv1.Job{}, &batchv1.JobList{}, func(o *metav1.ListOptions) { o.FieldSelector = selector }, w)
}

// WatchLeases tells of the Leases that a label selector selects, until ctx ends.
func (c *Client) WatchLeases(ctx context.Context, selector string, w Watcher[*coordinationv1.Lease]) {
	follow(ctx, c, c.coordination, "leases", &coordinationv1.Lease{}, &coordinationv1.LeaseList{}, func(o *metav1.ListOptions) { o.LabelSelector = selector }, w)
}

// watchBackoff is how long a watch that fails is left alone: a coordinator that sees nothing starts nothing.
func watchBackoff() *wait.Backoff {
	return &wait.Backoff{Duration: 500 * time.Millisecond, Cap: 10 * time.Second, Steps: 6, Factor: 2, Jitter: 0.5}
}

// follow lists and watches by client-go's Reflector, which goes on where a connection ended, and lists anew where the
// server has forgotten that place (410).
func follow[T object](ctx context.Context, c *Client, client *rest.RESTClient, resource string, kind T, list runtime.Object, narrow func(*metav1.ListOptions), w Watcher[T]) {
	t := &teller[T]{w: w, known: map[types.NamespacedName]T{}}
	request := func(o metav1.ListOptions) *rest.Request {
		narrow(&o)
		return client.Get().Namespace(c.namespace).Resource(resource).VersionedParams(&o, c.params)
	}
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			out := list.DeepCopyObject()
			err := request(o).Do(ctx).Into(out)
			t.saw(err)
			return out, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			watch, err := request(o).Watch(ctx)
			t.saw(err)
			return watch, err
		},
	}
	// What the Reflector would print is told to Fault.
	quiet := logr.Discard()
	r := cache.NewReflectorWithOptions(lw, kind, t, cache.ReflectorOptions{Logger: &quiet, Name: resource, Backoff: watchBackoff()})
	r.RunWithContext(klog.NewContext(ctx, quiet))
}

// teller is the store that a Reflector fills: it keeps what must be known to tell what has gone while nobody watched, and
// passes all on.
type teller[T object] struct {
	w      Watcher[T]
	known  map[types.NamespacedName]T
	synced bool
	blind  bool
}

func key(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func (t *teller[T]) saw(err error) {
	if t.w.Fault == nil || err == nil && !t.blind {
		return
	}
	t.blind = err != nil
	t.w.Fault(err)
}

// Add, Update, Delete, Replace and Resync are cache.ReflectorStore's.
func (t *teller[T]) Add(o any) error { return t.Update(o) }

// Update tells of an object, and first of one of its name that it has taken the place of.
func (t *teller[T]) Update(o any) error {
	now, ok := o.(T)
	if !ok {
		return nil
	}
	k := key(now)
	if was, there := t.known[k]; there && was.GetUID() != now.GetUID() {
		t.w.Gone(was)
	}
	t.known[k] = slim(now)
	t.w.Changed(now)
	return nil
}

// Delete tells that an object has gone.
func (t *teller[T]) Delete(o any) error {
	if was, ok := o.(T); ok {
		delete(t.known, key(was))
		t.w.Gone(was)
	}
	return nil
}

// Replace tells of a whole list.
func (t *teller[T]) Replace(list []any, _ string) error {
	there := make(map[types.NamespacedName]bool, len(list))
	for _, o := range list {
		if now, ok := o.(T); ok {
			there[key(now)] = true
		}
	}
	for k, was := range t.known {
		if !there[k] {
			delete(t.known, k)
			t.w.Gone(was)
		}
	}
	for _, o := range list {
		_ = t.Update(o)
	}
	if !t.synced {
		t.synced = true
		if t.w.Synced != nil {
			t.w.Synced()
		}
	}
	return nil
}

// Resync has nothing to do.
func (t *teller[T]) Resync() error { return nil }

// slim is what is kept of an object: of a pod not what it was made of.
func slim[T object](o T) T {
	pod, ok := any(o).(*corev1.Pod)
	if !ok {
		return o
	}
	small := &corev1.Pod{ObjectMeta: *pod.ObjectMeta.DeepCopy(), Status: *pod.Status.DeepCopy()}
	small.ManagedFields = nil
	small.Spec.NodeName = pod.Spec.NodeName
	return any(small).(T)
}
