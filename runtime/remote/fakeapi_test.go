package remote

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// api is an API server in memory: jobs and pods, listed and watched, and logs that grow.
type api struct {
	mu      sync.Mutex
	cond    *sync.Cond
	version int
	events  []apiEvent
	objects map[string]object // by resource/name
	logs    map[string]*podLog
	forbid  map[string]bool // resources that may not be seen
	patches []string
	created []string
	streams int // logs that are followed now
	most    int
}

type apiEvent struct {
	resource string
	kind     string // ADDED, MODIFIED, DELETED
	obj      object
	data     []byte
}

type podLog struct {
	data  []byte
	ended bool
	cut   int // connections are cut here, once; 0: not
}

func newAPI() *api {
	a := &api{objects: map[string]object{}, logs: map[string]*podLog{}, forbid: map[string]bool{}}
	a.cond = sync.NewCond(&a.mu)
	return a
}

// put makes or changes an object.
func (a *api) put(obj object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	resource := "pods"
	switch o := obj.(type) {
	case *batchv1.Job:
		resource, o.TypeMeta = "jobs", metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"}
	case *batchv1.CronJob:
		resource, o.TypeMeta = "cronjobs", metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"}
	case *corev1.Pod:
		o.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	}
	a.version++
	obj.SetResourceVersion(itoa(a.version))
	key := resource + "/" + obj.GetName()
	kind := "ADDED"
	if a.objects[key] != nil {
		kind = "MODIFIED"
	}
	a.objects[key] = obj
	a.note(resource, kind, obj)
}

func (a *api) remove(resource, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	obj := a.objects[resource+"/"+name]
	delete(a.objects, resource+"/"+name)
	a.version++
	a.note(resource, "DELETED", obj)
}

func (a *api) note(resource, kind string, obj object) {
	data, _ := json.Marshal(obj)
	a.events = append(a.events, apiEvent{resource, kind, obj, data})
	a.cond.Broadcast()
}

// write adds to a pod's log.
func (a *api) write(pod, text string, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.logs[pod]
	if l == nil {
		l = &podLog{}
		a.logs[pod] = l
	}
	l.data = append(l.data, text...)
	l.ended = ended
	a.cond.Broadcast()
}

func itoa(n int) string { data, _ := json.Marshal(n); return string(data) }

func reply(r *http.Request, status int, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r}
}

func text(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func failure(r *http.Request, status int, reason, message string) *http.Response {
	data, _ := json.Marshal(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(status), Reason: metav1.StatusReason(reason), Message: message})
	return reply(r, status, text(string(data)))
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // api/v1/namespaces/ml/pods/NAME/log
	for len(parts) > 0 && parts[0] != "ml" {
		parts = parts[1:]
	}
	resource, name := parts[1], ""
	if len(parts) > 2 {
		name = parts[2]
	}
	isLog := len(parts) > 3 && parts[3] == "log"
	a.mu.Lock()
	forbidden := a.forbid[resource] || isLog && a.forbid["pods/log"]
	a.mu.Unlock()
	switch {
	case forbidden:
		return failure(r, 403, "Forbidden", resource+" is forbidden"), nil
	case isLog:
		return a.readLog(r, name), nil
	case r.Method == http.MethodPatch, r.Method == http.MethodPost:
		data, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		defer a.mu.Unlock()
		if r.Method == http.MethodPatch {
			a.patches = append(a.patches, name+" "+string(data))
			return reply(r, 200, text(`{"kind":"Job","apiVersion":"batch/v1"}`)), nil
		}
		a.created = append(a.created, string(data))
		return reply(r, 201, io.NopCloser(bytes.NewReader(data))), nil
	case r.URL.Query().Get("watch") != "":
		return a.watch(r, resource), nil
	case name != "":
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.objects[resource+"/"+name] == nil {
			return failure(r, 404, "NotFound", name+" not found"), nil
		}
		data, _ := json.Marshal(a.objects[resource+"/"+name])
		return reply(r, 200, io.NopCloser(bytes.NewReader(data))), nil
	}
	return a.list(r, resource), nil
}

func selects(r *http.Request, resource string, e apiEvent) bool {
	if e.resource != resource {
		return false
	}
	s, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil || !s.Matches(labels.Set(e.obj.GetLabels())) {
		return false
	}
	name, ok := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	return !ok || name == e.obj.GetName()
}

func (a *api) list(r *http.Request, resource string) *http.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	kind := map[string]string{"pods": "PodList", "jobs": "JobList", "events": "EventList"}[resource]
	group := map[string]string{"jobs": "batch/v1"}[resource]
	if group == "" {
		group = "v1"
	}
	items := []object{}
	for key, obj := range a.objects {
		if strings.HasPrefix(key, resource+"/") && selects(r, resource, apiEvent{resource, "", obj, nil}) {
			items = append(items, obj)
		}
	}
	data, _ := json.Marshal(map[string]any{"kind": kind, "apiVersion": group, "metadata": map[string]string{"resourceVersion": itoa(a.version)}, "items": items})
	return reply(r, 200, text(string(data)))
}

// watch gives all that has happened since the version asked for, or the objects that there are.
func (a *api) watch(r *http.Request, resource string) *http.Response {
	if r.URL.Query().Get("sendInitialEvents") != "" {
		return failure(r, 422, "Invalid", "sendInitialEvents is not known here")
	}
	var from int
	_ = json.Unmarshal([]byte(r.URL.Query().Get("resourceVersion")), &from)
	in, out := io.Pipe()
	stop := a.onDone(r, out)
	go func() {
		defer stop()
		a.mu.Lock()
		defer a.mu.Unlock()
		for next := 0; r.Context().Err() == nil; next++ {
			for next == len(a.events) && r.Context().Err() == nil {
				a.cond.Wait()
			}
			if next == len(a.events) {
				return
			}
			e := a.events[next]
			if next < from || !selects(r, resource, e) {
				continue
			}
			line := append([]byte(`{"type":"`+e.kind+`","object":`), append(e.data, "}\n"...)...)
			a.mu.Unlock()
			_, err := out.Write(line)
			a.mu.Lock()
			if err != nil {
				return
			}
		}
	}()
	return reply(r, 200, in)
}

func (a *api) readLog(r *http.Request, pod string) *http.Response {
	in, out := io.Pipe()
	stop := a.onDone(r, out)
	a.mu.Lock()
	if a.logs[pod] == nil {
		a.logs[pod] = &podLog{}
	}
	a.streams++
	a.most = max(a.most, a.streams)
	a.mu.Unlock()
	go func() {
		defer stop()
		a.mu.Lock()
		defer a.mu.Unlock()
		defer func() { a.streams-- }()
		for at := 0; r.Context().Err() == nil; {
			l := a.logs[pod]
			if at == len(l.data) {
				if l.ended || r.URL.Query().Get("follow") != "true" {
					_ = out.Close()
					return
				}
				a.cond.Wait()
				continue
			}
			data := l.data[at:]
			cut := l.cut > 0 && l.cut < len(l.data)
			if cut {
				data, l.cut = l.data[at:max(at, l.cut)], 0
			}
			at += len(data)
			a.mu.Unlock()
			_, err := out.Write(data)
			if cut {
				out.CloseWithError(io.ErrUnexpectedEOF)
				err = io.ErrClosedPipe
			}
			a.mu.Lock()
			if err != nil {
				return
			}
		}
	}()
	return reply(r, 200, in)
}

// onDone ends a pipe with its request.
func (a *api) onDone(r *http.Request, out *io.PipeWriter) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-r.Context().Done():
			out.CloseWithError(r.Context().Err())
			a.mu.Lock()
			a.cond.Broadcast()
			a.mu.Unlock()
		case <-done:
		}
	}()
	return func() {
		_ = out.CloseWithError(io.ErrUnexpectedEOF) // where nothing else has ended it
		close(done)
	}
}
