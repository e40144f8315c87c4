// Package api is a Kubernetes API server in memory that is fast enough to measure a coordinator: it answers in protobuf, as
// a real server does, and stores each object encoded. It knows pods, Jobs and Leases, with resource versions, watches,
// lists in pages and streamed lists. It checks less than package kubetest does, which is for tests.
package api

import (
	"strconv"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"pipec.dev/pipec/schema/kube"
)

// Object is an object of the API.
type Object interface {
	runtime.Object
	metav1.Object
}

// API is the server. Its exported fields are set before the first request. It is safe for concurrent use.
type API struct {
	// Latency is how long a request that writes takes in addition, as etcd does on a real server.
	Latency time.Duration
	// Kubelet is called with each pod that a client creates, in its own goroutine.
	Kubelet func(*corev1.Pod)
	// Log is what the log of each pod contains.
	Log []byte

	codec codec

	mu      sync.Mutex
	changed sync.Cond
	version int
	topics  map[string]*topic
	counts  Counts
	active  int
}

// Counts are the requests of clients since Reset.
type Counts struct {
	Created   map[string]time.Time // when the creation of each pod was requested, by name
	Deletes   int
	Lists     int
	AtOnce    int       // the highest number of requests at the same time, watches and logs not included
	Logs      int       // the logs that were read
	LastBegan time.Time // when the creation of the newest pod was requested
}

// topic are the objects that one watch of the coordinator reports: the pods of one run, or one Job.
type topic struct {
	objects map[string]*item
	floor   int // events up to this version are forgotten
	events  []event
}

// item is a stored object.
type item struct {
	object Object
	data   []byte // the object, encoded
}

// event is a change, encoded as watches send it.
type event struct {
	version int
	frame   []byte
}

// New returns a server without objects.
func New() (*API, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	a := &API{codec: c, topics: map[string]*topic{}, Kubelet: func(*corev1.Pod) {}}
	a.changed.L = &a.mu
	a.Reset()
	return a, nil
}

// Reset begins to count again, and returns the counts so far.
func (a *API) Reset() Counts {
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.counts
	a.counts = Counts{Created: map[string]time.Time{}}
	return old
}

// Pods returns how many pods clients have created since Reset, and when the creation of the newest one was requested.
func (a *API) Pods() (int, time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.counts.Created), a.counts.LastBegan
}

// Put creates or replaces an object.
func (a *API) Put(o Object) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.put(o)
}

// UpdatePod changes a pod if it exists. change must not keep the pod.
func (a *API) UpdatePod(run, name string, change func(*corev1.Pod)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	it := a.topic("pods/" + run).objects[name]
	if it == nil {
		return nil
	}
	pod, ok := it.object.(*corev1.Pod)
	if !ok {
		return nil
	}
	change(pod)
	return a.put(pod)
}

// topicOf returns the name of an object's topic.
func topicOf(o Object) string {
	switch o := o.(type) {
	case *batchv1.Job:
		return "jobs/" + o.Name
	case *coordinationv1.Lease:
		return "leases/" + o.Name
	}
	return "pods/" + o.GetLabels()[kube.LabelRunUID]
}

// topic returns a topic. The caller must hold mu.
func (a *API) topic(name string) *topic {
	t := a.topics[name]
	if t == nil {
		t = &topic{objects: map[string]*item{}}
		a.topics[name] = t
	}
	return t
}

// put stores an object and notifies the watches. The caller must hold mu.
func (a *API) put(o Object) error {
	t := a.topic(topicOf(o))
	what := "MODIFIED"
	if t.objects[o.GetName()] == nil {
		what = "ADDED"
	}
	data, err := a.note(t, o, what)
	if err != nil {
		return err
	}
	t.objects[o.GetName()] = &item{o, data}
	return nil
}

// remove removes an object and notifies the watches. The caller must hold mu.
func (a *API) remove(o Object) error {
	t := a.topic(topicOf(o))
	delete(t.objects, o.GetName())
	_, err := a.note(t, o, "DELETED")
	return err
}

// keptEvents is how many events of a topic are kept for watches that resume.
const keptEvents = 50000

// note adds an event to a topic. The caller must hold mu.
func (a *API) note(t *topic, o Object, what string) ([]byte, error) {
	a.version++
	o.SetResourceVersion(strconv.Itoa(a.version))
	data, err := a.codec.object(o)
	if err != nil {
		return nil, err
	}
	frame, err := a.codec.frame(what, data)
	if err != nil {
		return nil, err
	}
	t.events = append(t.events, event{a.version, frame})
	if len(t.events) > 2*keptEvents {
		drop := len(t.events) - keptEvents
		t.floor = t.events[drop-1].version
		t.events = append([]event(nil), t.events[drop:]...)
	}
	a.changed.Broadcast()
	return data, nil
}
