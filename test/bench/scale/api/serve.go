package api

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/schema/kube"
)

// target is what a request is about: /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/SUB.
type target struct{ resource, name, sub string }

func targetOf(r *http.Request) target {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at := slices.Index(parts, "namespaces") + 2
	parts = append(parts[min(at, len(parts)):], "", "", "")
	return target{parts[0], parts[1], parts[2]}
}

// topicName returns the name of the topic that a list or a watch selects.
func topicName(r *http.Request, t target) string {
	q := r.URL.Query()
	if t.resource == "pods" {
		return "pods/" + strings.TrimPrefix(q.Get("labelSelector"), kube.LabelRunUID+"=")
	}
	return t.resource + "/" + strings.TrimPrefix(q.Get("fieldSelector"), "metadata.name=")
}

// ServeHTTP answers a request of a client.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := targetOf(r)
	switch {
	case r.URL.Query().Get("watch") != "":
		a.watch(w, r, topicName(r, t))
		return
	case t.sub == "log":
		a.log(w)
		return
	}
	a.count(1)
	defer a.count(-1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	began := time.Now()
	if r.Method != http.MethodGet && a.Latency > 0 {
		time.Sleep(a.Latency)
	}
	code, data := a.answer(r, t, body, began)
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(code)
	_, _ = w.Write(data)
}

func (a *API) count(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active += n
	a.counts.AtOnce = max(a.counts.AtOnce, a.active)
}

// log answers with the log of a pod.
func (a *API) log(w http.ResponseWriter) {
	a.mu.Lock()
	a.counts.Logs++
	a.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(a.Log)
}

// answer obeys a request.
func (a *API) answer(r *http.Request, t target, body []byte, began time.Time) (int, []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.name == "" && r.Method == http.MethodGet {
		return a.list(r, topicName(r, t))
	}
	if r.Method == http.MethodPost {
		return a.create(body, began)
	}
	it := a.find(t)
	if it == nil {
		return a.failure(404, metav1.StatusReasonNotFound)
	}
	switch r.Method {
	case http.MethodPut:
		return a.replace(it, body)
	case http.MethodPatch:
		return a.patch(it, body)
	case http.MethodDelete:
		return a.delete(it)
	}
	return 200, it.data
}

// find returns an object. The caller must hold mu.
func (a *API) find(t target) *item {
	if t.resource != "pods" {
		return a.topic(t.resource + "/" + t.name).objects[t.name]
	}
	for name, topic := range a.topics {
		if strings.HasPrefix(name, "pods/") && topic.objects[t.name] != nil {
			return topic.objects[t.name]
		}
	}
	return nil
}

func (a *API) create(body []byte, began time.Time) (int, []byte) {
	decoded, err := a.codec.decode(body)
	o, ok := decoded.(Object)
	if err != nil || !ok {
		return a.failure(400, metav1.StatusReasonBadRequest)
	}
	if a.topic(topicOf(o)).objects[o.GetName()] != nil {
		return a.failure(409, metav1.StatusReasonAlreadyExists)
	}
	o.SetUID(types.UID("uid-" + strconv.Itoa(a.version+1)))
	o.SetCreationTimestamp(metav1.Now())
	pod, isPod := o.(*corev1.Pod)
	if isPod {
		pod.Status.Phase = corev1.PodPending
		a.counts.Created[pod.Name], a.counts.LastBegan = began, began
	}
	if err := a.put(o); err != nil {
		return a.failure(500, metav1.StatusReasonInternalError)
	}
	if isPod {
		go a.Kubelet(pod.DeepCopy())
	}
	return 201, a.topic(topicOf(o)).objects[o.GetName()].data
}

func (a *API) replace(it *item, body []byte) (int, []byte) {
	decoded, err := a.codec.decode(body)
	o, ok := decoded.(Object)
	switch {
	case err != nil || !ok:
		return a.failure(400, metav1.StatusReasonBadRequest)
	case o.GetResourceVersion() != it.object.GetResourceVersion():
		return a.failure(409, metav1.StatusReasonConflict)
	case a.put(o) != nil:
		return a.failure(500, metav1.StatusReasonInternalError)
	}
	return 200, a.topic(topicOf(o)).objects[o.GetName()].data
}

// patch merges annotations.
func (a *API) patch(it *item, body []byte) (int, []byte) {
	var p struct{ Metadata metav1.ObjectMeta }
	if err := json.Unmarshal(body, &p); err != nil {
		return a.failure(400, metav1.StatusReasonBadRequest)
	}
	all := it.object.GetAnnotations()
	if all == nil {
		all = map[string]string{}
	}
	for k, v := range p.Metadata.Annotations {
		all[k] = v
	}
	it.object.SetAnnotations(all)
	if err := a.put(it.object); err != nil {
		return a.failure(500, metav1.StatusReasonInternalError)
	}
	return 200, a.topic(topicOf(it.object)).objects[it.object.GetName()].data
}

// delete removes an object. A pod that runs is marked and then removed, as if its kubelet had ended it at once.
func (a *API) delete(it *item) (int, []byte) {
	if pod, ok := it.object.(*corev1.Pod); ok {
		a.counts.Deletes++
		at := metav1.Now()
		pod.DeletionTimestamp = &at
		if pod.Status.Phase == corev1.PodRunning {
			if err := a.put(pod); err != nil {
				return a.failure(500, metav1.StatusReasonInternalError)
			}
		}
	}
	if err := a.remove(it.object); err != nil {
		return a.failure(500, metav1.StatusReasonInternalError)
	}
	return 200, it.data
}

func (a *API) failure(code int, reason metav1.StatusReason) (int, []byte) {
	data, err := a.codec.object(&metav1.Status{Status: "Failure", Code: int32(code), Reason: reason, Message: string(reason)})
	if err != nil {
		return 500, nil
	}
	return code, data
}
