package world

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/test/faults/history"
)

// kube returns the process's client of the API server.
func (c *client) kube() (*kubeclient.Client, error) {
	return kubeclient.New(&rest.Config{Host: "http://cluster", Transport: front{c}}, Namespace)
}

// front is the network between a process and the API server.
type front struct{ c *client }

// RoundTrip implements http.RoundTripper.
func (f front) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	verb, object := f.c.nameOf(r, body)
	if verb == "WATCH" || verb == "LIST" {
		f.c.w.pause(r.Context(), time.Millisecond, f.c.name+verb+object)
		if answer, err := f.c.unseen(r); answer != nil || err != nil {
			return answer, err
		}
	}
	var answer *http.Response
	err := f.c.send(r.Context(), call{verb: verb, object: object, obey: func() { answer = f.obey(r, verb, body) }})
	if code, refused := err.(refusal); refused {
		return failure(r, int(code)), nil
	}
	if err != nil {
		return nil, err
	}
	if answer == nil { // its client was not there any more
		return nil, errReset
	}
	if verb == "WATCH" && answer.StatusCode == http.StatusOK {
		answer.Body = f.c.newWatch(answer.Body)
	}
	return answer, nil
}

// obey has the server obey, and records what that does to pods.
func (f front) obey(r *http.Request, verb string, body []byte) *http.Response {
	w, ctx := f.c.w, r.Context()
	if verb != "WATCH" {
		ctx = context.WithoutCancel(ctx)
	}
	if o := podOf(w, verb, r, body); o != "" {
		w.mu.Lock()
		w.maker[o] = f.c.name
		w.mu.Unlock()
	}
	again := r.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := w.API.RoundTrip(again)
	if err != nil {
		return nil
	}
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if verb == "DELETE" && strings.HasSuffix(r.URL.Path, "/pods/"+name) && answer.StatusCode == http.StatusOK {
		w.deleted(name, f.c.name)
	}
	return answer
}

// nameOf returns the verb and the object of a request: a pod's is its step and attempt.
func (c *client) nameOf(r *http.Request, body []byte) (verb, object string) {
	w := c.w
	path := r.URL.Path[strings.Index(r.URL.Path, "/namespaces/"+Namespace+"/")+len("/namespaces/"+Namespace+"/"):]
	resource, name, _ := strings.Cut(path, "/")
	verb = r.Method
	switch {
	case r.URL.Query().Get("watch") != "":
		return "WATCH", resource
	case verb == http.MethodGet && name == "":
		return "LIST", resource
	case verb == http.MethodPost:
		o := w.API.Decode(body)
		name = o.GetName()
		if step, ok := o.GetAnnotations()[kube.AnnotationStep]; ok {
			return verb, "pods/" + step + "." + o.GetLabels()[kube.LabelAttempt]
		}
	}
	pod, sub, _ := strings.Cut(name, "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	if p, ok := w.pods[pod]; ok && p.run == c.run && resource == "pods" {
		name = p.name()
		if sub != "" {
			name += "/" + sub
		}
	}
	return verb, resource + "/" + name
}

// podOf returns the name of the pod that a request creates; "": it creates none.
func podOf(w *World, verb string, r *http.Request, body []byte) string {
	if verb != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/pods") {
		return ""
	}
	return w.API.Decode(body).GetName()
}

// expired is what the server sends to a watch whose version it has forgotten.
var expired = metav1.Status{
	TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired,
	Message: "too old resource version: 1 (2)",
}

// unseen returns how a watch or a list fails while the client is blind, and 410 afterwards.
func (c *client) unseen(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := r.URL.Query()
	switch {
	case time.Now().Before(c.blind):
		return nil, errReset
	case c.expired && q.Get("watch") != "" && q.Get("sendInitialEvents") == "":
		c.expired = false
		line, _ := json.Marshal(map[string]any{"type": "ERROR", "object": expired})
		return respond(r, http.StatusOK, append(line, '\n')), nil
	}
	return nil, nil
}

// failure returns the answer of a server that doesn't obey.
func failure(r *http.Request, code int) *http.Response {
	s := kubetest.Failure(r, code, "coordinator").Status()
	s.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	data, _ := json.Marshal(s)
	answer := respond(r, code, data)
	if code == http.StatusTooManyRequests {
		answer.Header.Set("Retry-After", "1")
	}
	return answer
}

func respond(r *http.Request, code int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), Request: r,
	}
}

// deleted takes in that somebody has requested the deletion of a pod, which the server has marked or removed.
func (w *World) deleted(name, who string) {
	w.mu.Lock()
	p, known := w.pods[name]
	var n *node
	for _, one := range w.nodes {
		if one.name == name {
			n = one
		}
	}
	w.mu.Unlock()
	if !known || n == nil {
		return
	}
	p.note(who, history.Deleting, n.uid)
	n.deleted()
}
