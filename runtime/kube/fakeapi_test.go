package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
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
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
)

// fakeAPI is an API server that does what a real one can't be made to do when it is wanted: it fails. It knows as much of
// pods, a Job and Leases as a coordinator uses.
type fakeAPI struct {
	t      *testing.T
	server *httptest.Server
	codecs serializer.CodecFactory
	// fault says how a request fails; it may be called by several at once.
	fault func(r *http.Request) fault
	// kubelet is told of each pod that is made, and of each that is to go; it runs by itself.
	kubelet func(api *fakeAPI, pod corev1.Pod)

	mu      sync.Mutex
	changed sync.Cond
	version int
	floor   int // versions before it are forgotten
	events  []fakeEvent
	objects map[string]runtime.Object // by path
	made    map[string]int            // pods, by name
	deletes map[string]int
	closed  bool
	work    sync.WaitGroup
}

type fakeEvent struct {
	version int
	kind    string // of the collection: "pods", "jobs"
	name    string
	line    []byte
}

type fault int

const (
	none   fault = iota
	busy         // 429, and when to come again
	broken       // 500
	cut          // the connection ends before the request is obeyed
	mute         // it is obeyed, and the answer is lost
	late         // it is obeyed, and the answer comes behind what follows from it
	forget       // 410: for a watch
)

func newFakeAPI(t *testing.T) *fakeAPI {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &metav1.DeleteOptions{})
	scheme.AddKnownTypes(batchv1.SchemeGroupVersion, &batchv1.Job{})
	scheme.AddKnownTypes(coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{})
	metav1.AddToGroupVersion(scheme, corev1.SchemeGroupVersion)
	metav1.AddToGroupVersion(scheme, coordinationv1.SchemeGroupVersion)
	a := &fakeAPI{
		t: t, codecs: serializer.NewCodecFactory(scheme), objects: map[string]runtime.Object{}, made: map[string]int{}, deletes: map[string]int{},
		fault: func(*http.Request) fault { return none }, kubelet: func(*fakeAPI, corev1.Pod) {},
	}
	a.changed.L = &a.mu
	a.server = httptest.NewServer(a)
	t.Cleanup(func() {
		a.mu.Lock()
		a.closed = true
		a.changed.Broadcast()
		a.mu.Unlock()
		a.work.Wait()
		a.server.CloseClientConnections()
		a.server.Close()
	})
	return a
}

func (a *fakeAPI) client() *kubeclient.Client {
	c, err := kubeclient.New(&rest.Config{Host: a.server.URL}, "ns")
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// set stores an object, and tells the watches.
func (a *fakeAPI) set(kind, name, event string, o runtime.Object) {
	a.version++
	m := o.(metav1.Object)
	m.SetResourceVersion(strconv.Itoa(a.version))
	if event == "DELETED" {
		delete(a.objects, kind+"/"+name)
	} else {
		a.objects[kind+"/"+name] = o
	}
	line, err := json.Marshal(map[string]any{"type": event, "object": typed(o)})
	if err != nil {
		a.t.Error(err)
	}
	a.events = append(a.events, fakeEvent{a.version, kind, name, append(line, '\n')})
	a.changed.Broadcast()
}

// update changes a pod, as a kubelet does; false: it isn't there any more.
func (a *fakeAPI) update(name string, change func(*corev1.Pod)) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.objects["pods/"+name].(*corev1.Pod)
	if ok {
		p = p.DeepCopy()
		change(p)
		a.set("pods", name, "MODIFIED", p)
	}
	return ok
}

// remove takes a pod away, as a kubelet does at its end.
func (a *fakeAPI) remove(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.objects["pods/"+name].(*corev1.Pod); ok {
		a.set("pods", name, "DELETED", p.DeepCopy())
	}
}

func (a *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := a.fault(r)
	switch f {
	case busy:
		w.Header().Set("Retry-After", "0")
		a.status(w, 429, "TooManyRequests", "come again")
		return
	case broken:
		a.status(w, 500, "InternalError", "broken")
		return
	case cut:
		panic(http.ErrAbortHandler)
	case mute:
		a.serve(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	if f == late {
		answer := httptest.NewRecorder()
		a.serve(answer, r)
		time.Sleep(200 * time.Millisecond)
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
		return
	}
	if f == forget && r.URL.Query().Get("watch") != "" {
		a.mu.Lock()
		a.floor = a.version + 1
		a.mu.Unlock()
	}
	a.serve(w, r)
}

func (a *fakeAPI) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at := slices.Index(parts, "ns")
	kind, name := parts[at+1], ""
	if len(parts) > at+2 {
		name = parts[at+2]
	}
	if r.URL.Query().Get("watch") != "" {
		a.watch(w, r, kind)
		return
	}
	body, _ := io.ReadAll(r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case r.Method == http.MethodPost:
		a.create(w, kind, body)
	case name == "":
		a.list(w, r, kind)
	case a.objects[kind+"/"+name] == nil:
		a.status(w, 404, "NotFound", kind+" "+name+" not found")
	case len(parts) > at+3: // a log
		w.WriteHeader(200)
	case r.Method == http.MethodGet:
		a.answer(w, 200, a.objects[kind+"/"+name])
	case r.Method == http.MethodPut:
		o := a.decode(body)
		if o.(metav1.Object).GetResourceVersion() != a.objects[kind+"/"+name].(metav1.Object).GetResourceVersion() {
			a.status(w, 409, "Conflict", "it has changed")
			return
		}
		a.set(kind, name, "MODIFIED", o)
		a.answer(w, 200, o)
	case r.Method == http.MethodDelete && kind == "leases":
		a.deleteLease(w, name, body)
	case r.Method == http.MethodDelete:
		a.delete(w, name, body)
	}
}

func (a *fakeAPI) decode(body []byte) runtime.Object {
	o, _, err := a.codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		a.t.Errorf("%v: %q", err, body)
	}
	return o
}

func (a *fakeAPI) create(w http.ResponseWriter, kind string, body []byte) {
	o := a.decode(body)
	m := o.(metav1.Object)
	if a.objects[kind+"/"+m.GetName()] != nil {
		a.status(w, 409, "AlreadyExists", kind+" "+m.GetName()+" already exists")
		return
	}
	m.SetUID(types.UID(fmt.Sprintf("uid-%d", a.version)))
	m.SetCreationTimestamp(metav1.Now())
	if p, ok := o.(*corev1.Pod); ok {
		p.Status.Phase = corev1.PodPending
		a.made[p.Name]++
		pod := *p.DeepCopy()
		a.work.Go(func() { a.kubelet(a, pod) })
	}
	a.set(kind, m.GetName(), "ADDED", o)
	a.answer(w, 201, o)
}

func (a *fakeAPI) delete(w http.ResponseWriter, name string, body []byte) {
	p := a.objects["pods/"+name].(*corev1.Pod).DeepCopy()
	var o metav1.DeleteOptions
	if len(body) > 0 {
		got, _, err := a.codecs.UniversalDeserializer().Decode(body, nil, &o)
		if err != nil {
			a.t.Errorf("the options of a delete: %v", err)
		} else if got, ok := got.(*metav1.DeleteOptions); ok {
			o = *got
		}
	}
	if o.Preconditions == nil || o.Preconditions.UID == nil || *o.Preconditions.UID != p.UID {
		a.status(w, 409, "Conflict", "the UID is another")
		return
	}
	a.deletes[name]++
	if p.DeletionTimestamp == nil {
		at := metav1.Now()
		p.DeletionTimestamp = &at
		a.set("pods", name, "MODIFIED", p)
		if p.Status.Phase != corev1.PodRunning { // nothing runs: it goes at once
			a.set("pods", name, "DELETED", p.DeepCopy())
		}
	}
	a.answer(w, 200, p)
}

func (a *fakeAPI) deleteLease(w http.ResponseWriter, name string, body []byte) {
	l := a.objects["leases/"+name].(*coordinationv1.Lease).DeepCopy()
	var o metav1.DeleteOptions
	got, _, err := a.codecs.UniversalDeserializer().Decode(body, nil, &o)
	if got, ok := got.(*metav1.DeleteOptions); err == nil && ok {
		o = *got
	}
	if p := o.Preconditions; p == nil || p.UID == nil || *p.UID != l.UID || p.ResourceVersion == nil || *p.ResourceVersion != l.ResourceVersion {
		a.status(w, 409, "Conflict", "it has changed")
		return
	}
	a.set("leases", name, "DELETED", l)
	a.answer(w, 200, l)
}

func (a *fakeAPI) list(w http.ResponseWriter, r *http.Request, kind string) {
	items := []runtime.Object{}
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		if o := a.objects[key]; strings.HasPrefix(key, kind+"/") && selected(r, o) {
			items = append(items, o)
		}
	}
	gv, list := "v1", "PodList"
	if kind == "jobs" {
		gv, list = "batch/v1", "JobList"
	}
	if kind == "leases" {
		gv, list = "coordination.k8s.io/v1", "LeaseList"
	}
	data, err := json.Marshal(map[string]any{
		"apiVersion": gv, "kind": list, "metadata": map[string]string{"resourceVersion": strconv.Itoa(a.version)}, "items": items,
	})
	if err != nil {
		a.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data)
}

func selected(r *http.Request, o runtime.Object) bool {
	q := r.URL.Query()
	if name, ok := strings.CutPrefix(q.Get("fieldSelector"), "metadata.name="); ok && o.(metav1.Object).GetName() != name {
		return false
	}
	if q.Get("labelSelector") == "" {
		return true
	}
	s, err := labels.Parse(q.Get("labelSelector"))
	return err == nil && s.Matches(labels.Set(o.(metav1.Object).GetLabels()))
}

// watch streams what happens, until the test's end, or until the fault function cuts it.
func (a *fakeAPI) watch(w http.ResponseWriter, r *http.Request, kind string) {
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		a.status(w, 422, "Invalid", "sendInitialEvents is forbidden")
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(200)
	w.(http.Flusher).Flush()
	gone := r.Context()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-gone.Done():
			a.mu.Lock()
			a.changed.Broadcast()
			a.mu.Unlock()
		case <-stop:
		}
	}()
	a.mu.Lock()
	defer a.mu.Unlock()
	if from < a.floor {
		a.floor = 0
		line, _ := json.Marshal(map[string]any{"type": "ERROR", "object": metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: 410, Reason: "Expired", Message: "too old",
		}})
		_, _ = w.Write(append(line, '\n'))
		return
	}
	for next := 0; ; {
		for ; next < len(a.events); next++ {
			e := a.events[next]
			if e.version <= from || e.kind != kind {
				continue
			}
			a.mu.Unlock()
			_, err := w.Write(e.line)
			w.(http.Flusher).Flush()
			drop := a.fault(r) != none
			a.mu.Lock()
			if err != nil || drop {
				return
			}
		}
		if a.closed || gone.Err() != nil {
			return
		}
		a.changed.Wait()
	}
}

// typed names the type of an object, as it stands in JSON.
func typed(o runtime.Object) runtime.Object {
	o = o.DeepCopyObject()
	switch o := o.(type) {
	case *corev1.Pod:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	case *batchv1.Job:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}
	case *coordinationv1.Lease:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}
	}
	return o
}

func (a *fakeAPI) answer(w http.ResponseWriter, code int, o runtime.Object) {
	data, err := json.Marshal(typed(o))
	if err != nil {
		a.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(data)
}

func (a *fakeAPI) status(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure", Code: int32(code), Reason: metav1.StatusReason(reason), Message: message,
	})
}
