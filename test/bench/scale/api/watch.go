package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// list answers with the objects of a topic, in pages if the client limits them. The caller must hold mu.
func (a *API) list(r *http.Request, name string) (int, []byte) {
	a.counts.Lists++
	t, q := a.topic(name), r.URL.Query()
	names := slices.Sorted(maps.Keys(t.objects))
	if after := q.Get("continue"); after != "" {
		at, _ := slices.BinarySearch(names, after)
		names = names[at:]
	}
	meta := metav1.ListMeta{ResourceVersion: strconv.Itoa(a.version)}
	// Like a real server, it ignores the limit if the list may be old.
	if limit, _ := strconv.Atoi(q.Get("limit")); limit > 0 && len(names) > limit && q.Get("resourceVersion") != "0" {
		meta.Continue, names = names[limit], names[:limit]
	}
	var out runtime.Object
	switch targetOf(r).resource {
	case "jobs":
		out = listOf(t, names, &batchv1.JobList{ListMeta: meta}, func(l *batchv1.JobList, o *batchv1.Job) { l.Items = append(l.Items, *o) })
	case "leases":
		out = listOf(t, names, &coordinationv1.LeaseList{ListMeta: meta}, func(l *coordinationv1.LeaseList, o *coordinationv1.Lease) { l.Items = append(l.Items, *o) })
	default:
		out = listOf(t, names, &corev1.PodList{ListMeta: meta}, func(l *corev1.PodList, o *corev1.Pod) { l.Items = append(l.Items, *o) })
	}
	data, err := a.codec.object(out)
	if err != nil {
		return a.failure(500, metav1.StatusReasonInternalError)
	}
	return 200, data
}

func listOf[L runtime.Object, O Object](t *topic, names []string, list L, add func(L, O)) runtime.Object {
	for _, name := range names {
		if o, ok := t.objects[name].object.(O); ok {
			add(list, o)
		}
	}
	return list
}

// watch streams the events of a topic behind the version that the client knows. If the client asks for it, the objects that
// exist come first.
func (a *API) watch(w http.ResponseWriter, r *http.Request, name string) {
	q := r.URL.Query()
	w.Header().Set("Content-Type", mediaType+";stream=watch")
	w.WriteHeader(200)
	stop := context.AfterFunc(r.Context(), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.changed.Broadcast()
	})
	defer stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.topic(name)
	from, _ := strconv.Atoi(q.Get("resourceVersion"))
	if q.Get("sendInitialEvents") == "true" {
		from = a.version
		if !a.send(w, a.initial(targetOf(r).resource, t)) {
			return
		}
	}
	if from < t.floor {
		_, status := a.failure(410, metav1.StatusReasonExpired)
		if frame, err := a.codec.frame("ERROR", status); err == nil {
			a.send(w, [][]byte{frame})
		}
		return
	}
	for r.Context().Err() == nil {
		at, _ := slices.BinarySearchFunc(t.events, from+1, func(e event, v int) int { return e.version - v })
		if at == len(t.events) {
			a.flush(w)
			if r.Context().Err() == nil && (len(t.events) == 0 || t.events[len(t.events)-1].version <= from) {
				a.changed.Wait()
			}
			continue
		}
		var frames [][]byte
		for _, e := range t.events[at:min(len(t.events), at+64)] {
			frames, from = append(frames, e.frame), e.version
		}
		if !a.send(w, frames) {
			return
		}
	}
}

// initial returns the events that a streamed list consists of. The caller must hold mu.
func (a *API) initial(resource string, t *topic) [][]byte {
	var out [][]byte
	for _, name := range slices.Sorted(maps.Keys(t.objects)) {
		if frame, err := a.codec.frame("ADDED", t.objects[name].data); err == nil {
			out = append(out, frame)
		}
	}
	mark := map[string]Object{"pods": &corev1.Pod{}, "jobs": &batchv1.Job{}, "leases": &coordinationv1.Lease{}}[resource]
	mark.SetResourceVersion(strconv.Itoa(a.version))
	mark.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	if data, err := a.codec.object(mark); err == nil {
		if frame, err := a.codec.frame("BOOKMARK", data); err == nil {
			out = append(out, frame)
		}
	}
	return out
}

// send writes frames without mu, which the caller must hold. It reports whether the client has taken them.
func (a *API) send(w http.ResponseWriter, frames [][]byte) bool {
	a.mu.Unlock()
	defer a.mu.Lock()
	for _, f := range frames {
		if _, err := w.Write(f); err != nil {
			return false
		}
	}
	return true
}

// flush sends what was written so far, without mu, which the caller must hold.
func (a *API) flush(w http.ResponseWriter) {
	a.mu.Unlock()
	defer a.mu.Lock()
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}
