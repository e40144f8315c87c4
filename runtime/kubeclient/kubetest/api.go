// Package kubetest is a Kubernetes API server in memory, for tests of what talks to one. It is an http.RoundTripper: there
// is no socket, so that clients, watches and client-go's Reflector run inside a testing/synctest bubble, with its clock.
//
// It knows what pipec uses of pods, Jobs, CronJobs, Leases and events: resource versions and conflicts, UID preconditions,
// watches that resume or have expired (410), logs, and requests that fail. It schedules nothing and runs no controllers: a
// test that needs a kubelet sets API.Kubelet.
package kubetest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
)

// Object is an object of the API: a pointer to one of its types.
type Object interface {
	runtime.Object
	metav1.Object
}

// API is the server. Its fields are set before the first request. Its methods are safe for concurrent use.
type API struct {
	// Fault returns how a request fails. It is called by several goroutines at once. A watch calls it again after each event
	// that it has sent, and ends if there is a fault.
	Fault func(*http.Request) Fault
	// Kubelet is called with each pod that a client creates, in a goroutine of its own.
	Kubelet func(pod corev1.Pod)
	// Latency is how long each request takes before the server obeys it.
	Latency time.Duration
	// WatchList says that the server sends the objects that exist at the start of a watch, if a client asks for that.
	WatchList bool
	// Terminating says that the namespace is being deleted: nothing can be created in it. It may only be set between requests.
	Terminating bool
	// Username is what the server calls its client; "": it doesn't say.
	Username string

	t      testing.TB
	codecs serializer.CodecFactory
	work   sync.WaitGroup

	mu      sync.Mutex
	changed sync.Cond
	closed  bool
	version int
	floor   int // watches that resume before this version have expired
	events  []event
	objects map[string]Object // by resource/name
	logs    map[string]*podLog
	made    map[string]int // pods that clients have created, by name
	deletes map[string]int // requests to delete pods, by name
	patches []string
	streams int // logs that are being read
	most    int // the highest number of streams
}

// event is a change of an object, as watches report it.
type event struct {
	version  int
	resource string
	object   Object
	line     []byte
}

// New returns a server without objects, which ends with the test.
func New(t testing.TB) *API {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &metav1.DeleteOptions{})
	scheme.AddKnownTypes(batchv1.SchemeGroupVersion, &batchv1.Job{}, &batchv1.CronJob{})
	scheme.AddKnownTypes(coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{})
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	metav1.AddToGroupVersion(scheme, coordinationv1.SchemeGroupVersion)
	a := &API{
		Fault: func(*http.Request) Fault { return Fault{} }, Kubelet: func(corev1.Pod) {},
		t: t, codecs: serializer.NewCodecFactory(scheme), objects: map[string]Object{}, logs: map[string]*podLog{},
		made: map[string]int{}, deletes: map[string]int{},
	}
	a.changed.L = &a.mu
	t.Cleanup(func() {
		a.mu.Lock()
		a.closed = true
		a.changed.Broadcast()
		a.mu.Unlock()
		a.work.Wait()
	})
	return a
}

// Forget makes all versions so far too old for watches that resume.
func (a *API) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	a.floor = a.version + 1
}

// Config leads clients to the server.
func (a *API) Config() *rest.Config { return &rest.Config{Host: "http://cluster", Transport: a} }

// Client returns a client of a namespace. All namespaces hold the same objects.
func (a *API) Client(namespace string) *kubeclient.Client {
	c, err := kubeclient.New(a.Config(), namespace)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// Go runs f in a goroutine that the end of the test waits for.
func (a *API) Go(f func()) { a.work.Go(f) }

// Put creates or replaces an object, as somebody else than the client under test.
func (a *API) Put(o Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(o.DeepCopyObject().(Object))
}

// Remove removes an object at once.
func (a *API) Remove(resource, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.objects[resource+"/"+name]; o != nil {
		a.remove(o.DeepCopyObject().(Object))
	}
}

// Find returns a copy of an object, and false if there is none of this type and name.
func Find[T Object](a *API, resource, name string) (T, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.objects[resource+"/"+name].(T)
	if ok {
		o = o.DeepCopyObject().(T)
	}
	return o, ok
}

// All returns copies of all objects of a resource, sorted by name.
func All[T Object](a *API, resource string) []T {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []T
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		if o, ok := a.objects[key].(T); ok && strings.HasPrefix(key, resource+"/") {
			out = append(out, o.DeepCopyObject().(T))
		}
	}
	return out
}

// Update changes an object, and reports whether it exists.
func Update[T Object](a *API, resource, name string, change func(T)) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, ok := a.objects[resource+"/"+name].(T)
	if ok {
		o = o.DeepCopyObject().(T)
		change(o)
		a.put(o)
	}
	return ok
}

// Made returns how often clients have created a pod of each name.
func (a *API) Made() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.made)
}

// Deletes returns how often clients have requested the deletion of a pod of each name.
func (a *API) Deletes() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.deletes)
}

// Patches returns the patches that clients have sent, each after the object's name and a space.
func (a *API) Patches() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.patches)
}

// put stores an object and notifies the watches. The caller must hold mu.
func (a *API) put(o Object) {
	resource := resourceOf(o)
	key, what := resource+"/"+o.GetName(), "MODIFIED"
	if a.objects[key] == nil {
		what = "ADDED"
	}
	a.note(o, what)
	a.objects[key] = o
}

// remove removes an object and notifies the watches. The caller must hold mu.
func (a *API) remove(o Object) {
	delete(a.objects, resourceOf(o)+"/"+o.GetName())
	a.note(o, "DELETED")
}

func (a *API) note(o Object, what string) {
	a.version++
	o.SetResourceVersion(strconv.Itoa(a.version))
	line := a.encode(map[string]any{"type": what, "object": typed(o)})
	a.events = append(a.events, event{a.version, resourceOf(o), o, append(line, '\n')})
	a.changed.Broadcast()
}

func resourceOf(o Object) string {
	switch o.(type) {
	case *batchv1.Job:
		return "jobs"
	case *batchv1.CronJob:
		return "cronjobs"
	case *coordinationv1.Lease:
		return "leases"
	}
	return "pods"
}

// typed returns a copy that names its type, as JSON does.
func typed(o Object) Object {
	o = o.DeepCopyObject().(Object)
	switch o := o.(type) {
	case *corev1.Pod:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	case *batchv1.Job:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}
	case *batchv1.CronJob:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}
	case *coordinationv1.Lease:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}
	}
	return o
}
