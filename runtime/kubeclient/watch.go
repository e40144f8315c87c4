package kubeclient

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

// Watcher is notified of what happens to the objects that it watches. Its functions are called one at a time, and block the
// watch while they run. Synced and Fault may be nil.
//
// A pod is passed on without the parts that no caller needs: a run may have thousands of pods. Its spec has only the name of the
// node, the readiness gates, and the names of init containers that are sidecars, its labels and annotations are only those of pipec and of Jobs, and the statuses of its
// containers have no volumes and resources.
type Watcher[T object] struct {
	// Changed is called with each object as it is now, at the beginning too.
	Changed func(T)
	// Gone is called with the last known state of an object that was removed.
	Gone func(T)
	// Listed is called after each list of everything that exists, with the UIDs by name, after the calls of Gone and Changed
	// that follow from the list. It may be nil.
	Listed func(map[string]types.UID)
	// Synced is called once, when Changed was called with everything that existed at the beginning.
	Synced func()
	// Fault is called with an error that keeps the watch from seeing what happens, and with nil when it sees again.
	Fault func(error)
}

// WatchPods watches the pods that a label selector selects, until ctx ends.
func (c *Client) WatchPods(ctx context.Context, selector string, w Watcher[*corev1.Pod]) {
	follow(ctx, c, c.core, "pods", &corev1.Pod{}, &corev1.PodList{}, func(o *metav1.ListOptions) { o.LabelSelector = selector }, w)
}

// WatchJob watches the Job with this name, until ctx ends.
func (c *Client) WatchJob(ctx context.Context, name string, w Watcher[*batchv1.Job]) {
	selector := fields.OneTermEqualSelector("metadata.name", name).String()
	follow(ctx, c, c.batch, "jobs", &batchv1.Job{}, &batchv1.JobList{}, func(o *metav1.ListOptions) { o.FieldSelector = selector }, w)
}

// WatchLeases watches the Leases that a label selector selects, until ctx ends.
func (c *Client) WatchLeases(ctx context.Context, selector string, w Watcher[*coordinationv1.Lease]) {
	follow(ctx, c, c.coordination, "leases", &coordinationv1.Lease{}, &coordinationv1.LeaseList{}, func(o *metav1.ListOptions) { o.LabelSelector = selector }, w)
}

// watchBackoff returns the pauses before a watch that has failed is tried again.
func watchBackoff() *wait.Backoff {
	return &wait.Backoff{Duration: 500 * time.Millisecond, Cap: 10 * time.Second, Steps: 6, Factor: 2, Jitter: 0.5}
}

// listPage is how many objects a page of a list contains. Only one page of complete pods is in memory at the same time.
const listPage = 500

// follow lists and watches with client-go's Reflector, which resumes at the version where a connection ended, and lists
// again if the server has forgotten that version (410).
func follow[T object](ctx context.Context, c *Client, client *rest.RESTClient, resource string, kind T, list runtime.Object, narrow func(*metav1.ListOptions), w Watcher[T]) {
	t := &notifier[T]{w: w, known: map[types.NamespacedName]packed[T]{}}
	request := func(o metav1.ListOptions) *rest.Request {
		narrow(&o)
		return client.Get().Namespace(c.namespace).Resource(resource).VersionedParams(&o, c.params)
	}
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.ResourceVersion, o.ResourceVersionMatch = "", "" // a server returns a list that may be old as one page
			out := list.DeepCopyObject()
			err := request(o).Do(ctx).Into(out)
			t.saw(ctx, err)
			slimList(out)
			return out, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.Watch = true
			stream, err := request(o).Watch(ctx)
			if o.SendInitialEvents == nil || !apierrors.IsInvalid(err) { // else the Reflector lists: the server can't stream a list
				t.saw(ctx, err)
			}
			if err != nil {
				return nil, err
			}
			return slimWatch(stream), nil
		},
	}
	// Fault is called with what the Reflector would print.
	quiet := logr.Discard()
	r := cache.NewReflectorWithOptions(lw, kind, t, cache.ReflectorOptions{Logger: &quiet, Name: resource, Backoff: watchBackoff()})
	r.WatchListPageSize = listPage
	r.RunWithContext(klog.NewContext(ctx, quiet))
}

// notifier is the store that a Reflector fills. It passes everything on, and keeps what is needed to find out what was
// removed while the watch was interrupted.
type notifier[T object] struct {
	w      Watcher[T]
	known  map[types.NamespacedName]packed[T]
	synced bool
	blind  bool
}

func key(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func (t *notifier[T]) saw(ctx context.Context, err error) {
	if t.w.Fault == nil || err == nil && !t.blind || ctx.Err() != nil {
		return
	}
	t.blind = err != nil
	t.w.Fault(err)
}

// Add implements cache.ReflectorStore, as do Update, Delete, Replace and Resync.
func (t *notifier[T]) Add(o any) error { return t.Update(o) }

// Update passes on an object, and first that it has replaced another one of its name.
func (t *notifier[T]) Update(o any) error {
	now, ok := o.(T)
	if !ok {
		return nil
	}
	k := key(now)
	if was, there := t.known[k]; there && was.uid != now.GetUID() {
		t.gone(was)
	}
	t.known[k] = pack(now)
	t.w.Changed(now)
	return nil
}

// gone passes on that a known object was removed.
func (t *notifier[T]) gone(was packed[T]) {
	if o, ok := was.unpack(); ok {
		t.w.Gone(o)
	}
}

// Delete passes on that an object was removed.
func (t *notifier[T]) Delete(o any) error {
	if was, ok := o.(T); ok {
		delete(t.known, key(was))
		t.w.Gone(was)
	}
	return nil
}

// Replace passes on a whole list.
func (t *notifier[T]) Replace(list []any, _ string) error {
	there := make(map[types.NamespacedName]bool, len(list))
	for _, o := range list {
		if now, ok := o.(T); ok {
			there[key(now)] = true
		}
	}
	for k, was := range t.known {
		if !there[k] {
			delete(t.known, k)
			t.gone(was)
		}
	}
	for _, o := range list {
		_ = t.Update(o)
	}
	t.listed()
	if !t.synced {
		t.synced = true
		if t.w.Synced != nil {
			t.w.Synced()
		}
	}
	return nil
}

// listed passes on which objects a list had.
func (t *notifier[T]) listed() {
	if t.w.Listed == nil {
		return
	}
	there := make(map[string]types.UID, len(t.known))
	for k, o := range t.known {
		there[k.Name] = o.uid
	}
	t.w.Listed(there)
}

// Resync has nothing to do.
func (t *notifier[T]) Resync() error { return nil }
