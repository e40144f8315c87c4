package answers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// API is an API server: the real one or a model.
type API struct {
	URL       string
	Transport http.RoundTripper
	Namespace string // exists, and is empty
	// Tokens are the bearer tokens of an administrator, of a user without rights, and of no user.
	Admin, Nobody, Unknown string
	// Terminate begins the deletion of the namespace.
	Terminate func() error
	// Run does what a kubelet does: it binds a pod to a node and reports that it runs.
	Run func(pod string) error
}

// session sends requests to a server and collects the answers. It is used by one goroutine.
type session struct {
	API
	ctx     context.Context
	answers []Answer
	last    full // the last object that was answered
	err     error
}

// Kubernetes returns the answers of an API server that supports WatchList.
func Kubernetes(ctx context.Context, api API) ([]Answer, error) {
	s := &session{API: api, ctx: ctx}
	for _, part := range []func(*session){creating, reading, denied, changing, deleting, watching, paging, ending} {
		part(s)
	}
	return s.answers, s.err
}

// WithoutWatchList returns the answers of an API server that doesn't support WatchList, and that has forgotten the versions
// before its start.
func WithoutWatchList(ctx context.Context, api API) ([]Answer, error) {
	s := &session{API: api, ctx: ctx}
	s.send("a pod", "POST", s.pods(), podBody("alone", ""))
	s.watch("the start of a watch with initial events", s.pods()+"?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true", 1, nil)
	s.watch("a version that is too old", s.pods()+"?watch=1&resourceVersion=1", 1, nil)
	return s.answers, s.err
}

func (s *session) pods() string { return "/api/v1/namespaces/" + s.Namespace + "/pods" }
func (s *session) jobs() string { return "/apis/batch/v1/namespaces/" + s.Namespace + "/jobs" }
func (s *session) leases() string {
	return "/apis/coordination.k8s.io/v1/namespaces/" + s.Namespace + "/leases"
}

// send sends a request as the administrator, and records its answer.
func (s *session) send(name, method, url, body string) { s.sendAs(s.Admin, name, method, url, body) }

func (s *session) sendAs(token, name, method, url, body string) {
	r, answer := s.begin(token, method, url, body)
	if answer == nil {
		return
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		s.fail("%s: %w", name, err)
		return
	}
	s.last = full{}
	_ = json.Unmarshal(data, &s.last)
	s.answers = append(s.answers, Answer{Case: name, Request: method + " " + path(r, s.Namespace), Code: answer.StatusCode, Body: s.reduce(data)})
}

// quiet sends a request whose answer is of no interest, and keeps the object.
func (s *session) quiet(method, url, body string) {
	n := len(s.answers)
	s.send("", method, url, body)
	s.answers = s.answers[:min(n, len(s.answers))]
}

// watch opens a watch, calls do, and records n events.
func (s *session) watch(name, url string, n int, do func()) {
	ctx, cancel := context.WithTimeout(s.ctx, watchLimit)
	defer cancel()
	own := *s
	own.ctx = ctx
	r, answer := own.begin(s.Admin, http.MethodGet, url, "")
	if s.err = own.err; answer == nil {
		return
	}
	defer answer.Body.Close()
	out := Answer{Case: name, Request: "GET " + path(r, s.Namespace), Code: answer.StatusCode}
	if do != nil {
		do()
	}
	if answer.StatusCode == http.StatusOK {
		out.Events = s.readEvents(answer.Body, n)
	} else {
		data, _ := io.ReadAll(answer.Body)
		out.Body = s.reduce(data)
	}
	s.answers = append(s.answers, out)
}

func (s *session) begin(token, method, url, body string) (*http.Request, *http.Response) {
	if s.err != nil {
		return nil, nil
	}
	r, err := http.NewRequestWithContext(s.ctx, method, s.URL+url, bytes.NewReader([]byte(body)))
	if err != nil {
		s.fail("%w", err)
		return nil, nil
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	answer, err := s.Transport.RoundTrip(r)
	if err != nil {
		s.fail("%s %s: %w", method, url, err)
		return nil, nil
	}
	return r, answer
}

func (s *session) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// podBody returns a pod. grace is its grace period in seconds, or "".
func podBody(name, grace string) string {
	if grace != "" {
		grace = `,"terminationGracePeriodSeconds":` + grace
	}
	return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `","labels":{"app":"` + name + `"}},"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"busybox"}]` + grace + `}}`
}

func jobBody(name string) string {
	return `{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"` + name + `"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"busybox"}]}}}}`
}

// leaseBody returns a Lease; version is the resource version, or "".
func leaseBody(name, holder, version string) string {
	if version != "" {
		version = `,"resourceVersion":"` + version + `"`
	}
	return `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"` + name + `"` + version + `},"spec":{"holderIdentity":"` + holder + `"}}`
}

// options returns the options of a deletion with preconditions.
func options(uid, version string) string {
	var parts []string
	for name, value := range map[string]string{"uid": uid, "resourceVersion": version} {
		if value != "" {
			parts = append(parts, `"`+name+`":"`+value+`"`)
		}
	}
	return `{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{` + strings.Join(parts, ",") + `}}`
}
