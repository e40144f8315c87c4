package kubetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// target is what a request is about: /api/v1/namespaces/NAMESPACE/RESOURCE/NAME/SUB.
type target struct{ namespace, resource, name, sub string }

func targetOf(r *http.Request) target {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at := slices.Index(parts, "namespaces") + 1
	parts = append(parts[min(at, len(parts)):], "", "", "", "")
	return target{parts[0], parts[1], parts[2], parts[3]}
}

func isWatch(r *http.Request) bool { return r.URL.Query().Get("watch") != "" }

func (a *API) serve(r *http.Request) *http.Response {
	if strings.HasSuffix(r.URL.Path, "/selfsubjectreviews") {
		return a.whoami(r)
	}
	t := targetOf(r)
	if isWatch(r) {
		return a.watch(r, t.resource)
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := t.resource + "/" + t.name
	switch {
	case r.Method == http.MethodPost:
		return a.create(r, t, body)
	case t.sub == "log":
		return a.readLog(r, t.name)
	case t.name == "":
		return a.list(r, t.resource)
	case a.objects[key] == nil && r.Method == http.MethodPut:
		return a.revive(r, t, body)
	case a.objects[key] == nil:
		return a.fail(r, apierrors.NewNotFound(t.of(), t.name))
	}
	old := a.objects[key].DeepCopyObject().(Object)
	switch r.Method {
	case http.MethodPut:
		o := a.Decode(body)
		if o.GetResourceVersion() != old.GetResourceVersion() {
			return a.fail(r, apierrors.NewConflict(t.of(), t.name, errModified))
		}
		o.SetUID(old.GetUID())
		o.SetCreationTimestamp(old.GetCreationTimestamp())
		a.put(o)
		return a.answer(r, 200, typed(o))
	case http.MethodPatch:
		return a.patch(r, t, old, body)
	case http.MethodDelete:
		return a.delete(r, t, old, body)
	}
	return a.answer(r, 200, typed(old))
}

func (a *API) create(r *http.Request, t target, body []byte) *http.Response {
	o := a.Decode(body)
	if a.Terminating {
		return a.fail(r, terminating(t, o.GetName()))
	}
	if old := a.objects[resourceOf(o)+"/"+o.GetName()]; old != nil {
		return a.fail(r, exists(t, old))
	}
	if why := validation.NameIsDNSSubdomain(o.GetName(), false); len(why) > 0 {
		return a.fail(r, apierrors.NewInvalid(t.kind(), o.GetName(), field.ErrorList{field.Invalid(field.NewPath("metadata", "name"), o.GetName(), why[0])}))
	}
	a.number(o)
	if p, ok := o.(*corev1.Pod); ok {
		p.Status.Phase = corev1.PodPending
		a.made[p.Name]++
		pod := *p.DeepCopy()
		a.work.Go(func() { a.Kubelet(pod) })
	}
	a.put(o)
	return a.answer(r, 201, typed(o))
}

// number gives a new object its identity.
func (a *API) number(o Object) {
	o.SetUID(types.UID(fmt.Sprintf("uid-%d", a.version)))
	o.SetCreationTimestamp(metav1.Now())
}

// revive answers a change of an object that doesn't exist: the server creates a Lease, unless the client knows the UID of
// an earlier one.
func (a *API) revive(r *http.Request, t target, body []byte) *http.Response {
	if t.resource != "leases" {
		return a.fail(r, apierrors.NewNotFound(t.of(), t.name))
	}
	o := a.Decode(body)
	if o.GetUID() != "" {
		return a.fail(r, apierrors.NewConflict(t.of(), t.name, fmt.Errorf("StorageError: invalid object, Code: 4, Key: /registry/leases/%s/%s, ResourceVersion: 0, "+
			"AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: ", t.namespace, t.name, o.GetUID())))
	}
	a.number(o)
	a.put(o)
	return a.answer(r, 201, typed(o))
}

// patch merges annotations.
func (a *API) patch(r *http.Request, t target, o Object, body []byte) *http.Response {
	a.patches = append(a.patches, o.GetName()+" "+string(body))
	var p struct{ Metadata metav1.ObjectMeta }
	if err := json.Unmarshal(body, &p); err != nil {
		return a.failure(r, 400, "BadRequest", err.Error())
	}
	switch m := p.Metadata; {
	case m.ResourceVersion != "" && m.ResourceVersion != o.GetResourceVersion():
		return a.fail(r, apierrors.NewConflict(t.of(), t.name, errModified))
	case m.UID != "" && m.UID != o.GetUID():
		return a.fail(r, apierrors.NewInvalid(t.kind(), t.name, field.ErrorList{field.Invalid(field.NewPath("metadata", "uid"), m.UID, "field is immutable")}))
	}
	all := o.GetAnnotations()
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, p.Metadata.Annotations)
	o.SetAnnotations(all)
	a.put(o)
	return a.answer(r, 200, typed(o))
}

// delete removes an object at once, unless it is a pod that runs: that is marked, and its kubelet removes it.
func (a *API) delete(r *http.Request, t target, o Object, body []byte) *http.Response {
	var options metav1.DeleteOptions
	if got, _, err := a.codecs.UniversalDeserializer().Decode(body, nil, nil); err != nil {
		a.t.Errorf("the options of a delete: %v", err)
	} else if got, ok := got.(*metav1.DeleteOptions); ok {
		options = *got
	}
	p := options.Preconditions
	pod, isPod := o.(*corev1.Pod)
	if p == nil || p.UID == nil || !isPod && p.ResourceVersion == nil {
		a.t.Errorf("a request to delete %s %s has too few preconditions", t.resource, t.name)
		p = &metav1.Preconditions{}
	}
	if e := precondition(t, o, p); e != nil {
		return a.fail(r, e)
	}
	if !isPod {
		a.remove(o)
		return a.answer(r, 200, metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess,
			Details: &metav1.StatusDetails{Name: t.name, Group: groups[t.resource], Kind: t.resource, UID: o.GetUID()},
		})
	}
	a.deletes[pod.Name]++
	if pod.DeletionTimestamp == nil {
		at := metav1.Now()
		pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &at, pod.Spec.TerminationGracePeriodSeconds
		if pod.Status.Phase != corev1.PodRunning { // nothing runs: it goes at once
			pod.DeletionGracePeriodSeconds = new(int64)
		}
		a.put(pod)
		if pod.Status.Phase != corev1.PodRunning {
			a.remove(pod.DeepCopy())
		}
	}
	return a.answer(r, 200, typed(pod))
}

// list answers with the selected objects, in pages if the client limits them. Like a real server, it ignores the limit if the
// list may be old.
func (a *API) list(r *http.Request, resource string) *http.Response {
	items, q := []Object{}, r.URL.Query()
	for _, key := range slices.Sorted(maps.Keys(a.objects)) {
		if o := a.objects[key]; strings.HasPrefix(key, resource+"/") && selected(r, o) && o.GetName() > q.Get("continue") {
			items = append(items, typed(o))
		}
	}
	meta := metav1.ListMeta{ResourceVersion: strconv.Itoa(a.version)}
	if limit, _ := strconv.Atoi(q.Get("limit")); limit > 0 && limit < len(items) && q.Get("resourceVersion") != "0" {
		rest := int64(len(items) - limit)
		items = items[:limit]
		meta.Continue, meta.RemainingItemCount = items[limit-1].GetName(), &rest
	}
	list := map[string][2]string{
		"pods": {"v1", "PodList"}, "events": {"v1", "EventList"}, "jobs": {"batch/v1", "JobList"}, "leases": {"coordination.k8s.io/v1", "LeaseList"},
	}[resource]
	return a.answer(r, 200, map[string]any{
		"apiVersion": list[0], "kind": list[1], "metadata": meta, "items": items,
	})
}

func (a *API) whoami(r *http.Request) *http.Response {
	if a.Username == "" {
		return a.failure(r, 403, "Forbidden", "no")
	}
	return a.answer(r, 201, map[string]any{"kind": "SelfSubjectReview", "status": map[string]any{"userInfo": map[string]string{"username": a.Username}}})
}

// selected reports whether the selectors of a request select an object.
func selected(r *http.Request, o Object) bool {
	q := r.URL.Query()
	if name, ok := strings.CutPrefix(q.Get("fieldSelector"), "metadata.name="); ok && o.GetName() != name {
		return false
	}
	s, err := labels.Parse(q.Get("labelSelector"))
	return err == nil && s.Matches(labels.Set(o.GetLabels()))
}

// Decode decodes the body of a request that creates or replaces an object.
func (a *API) Decode(body []byte) Object {
	o, _, err := a.codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		a.t.Errorf("%v: %q", err, body)
	}
	return o.(Object)
}

func (a *API) encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		a.t.Error(err)
	}
	return data
}

func (a *API) answer(r *http.Request, code int, v any) *http.Response {
	return response(r, code, io.NopCloser(bytes.NewReader(a.encode(v))))
}

func response(r *http.Request, code int, body io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r,
	}
}
