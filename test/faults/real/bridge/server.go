package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"pipec.dev/pipec/runtime/kubeclient/kubetest"
	"pipec.dev/pipec/test/faults/world"
)

// Server is a namespace of a real API server as the server of one simulation. It implements world.Server, inside the
// bubble of the simulation. It is safe for concurrent use.
type Server struct {
	b         *Bridge
	t         testing.TB
	namespace string
	kubelet   func(corev1.Pod)
	work      sync.WaitGroup

	mu      sync.Mutex
	streams map[*stream]bool
	closed  chan struct{}
}

// NewServer returns a server whose objects are in a new namespace, and which ends with the test. kubelet is called with each
// pod that a coordinator creates. It must be called inside the bubble.
func NewServer(t testing.TB, b *Bridge, namespace string, kubelet func(corev1.Pod)) *Server {
	s := &Server{b: b, t: t, namespace: namespace, kubelet: kubelet, streams: map[*stream]bool{}, closed: make(chan struct{})}
	s.must(request{method: http.MethodPost, path: "/api/v1/namespaces", contentType: "application/json", body: encode(&corev1.Namespace{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: namespace},
	})})
	t.Cleanup(func() {
		close(s.closed)
		s.work.Wait()
	})
	return s
}

// Go implements world.Server.
func (s *Server) Go(f func()) { s.work.Go(f) }

// Decode implements world.Server.
func (s *Server) Decode(body []byte) kubetest.Object {
	o, _ := s.decode(body)
	return o
}

func (s *Server) decode(body []byte) (kubetest.Object, *schema.GroupVersionKind) {
	o, kind, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		s.t.Errorf("%v: %q", err, body)
		return &corev1.Pod{}, &schema.GroupVersionKind{}
	}
	return o.(kubetest.Object), kind
}

// RoundTrip implements http.RoundTripper for the clients of coordinators.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	q := request{method: r.Method, contentType: r.Header.Get("Content-Type"), path: s.path(r.URL.RequestURI())}
	if r.Body != nil {
		q.body, _ = io.ReadAll(r.Body)
	}
	if r.URL.Query().Get("watch") != "" {
		return s.watch(r, q)
	}
	if r.Method == http.MethodPost { // the object names the simulation's namespace
		o, kind := s.decode(q.body)
		o.SetNamespace("")
		o.(interface{ GetObjectKind() schema.ObjectKind }).GetObjectKind().SetGroupVersionKind(*kind)
		q.body, q.contentType = encode(o), "application/json"
	}
	answer := s.b.send(q)
	if answer.err != nil {
		return nil, answer.err
	}
	if r.Method != http.MethodGet && answer.code < 300 {
		s.settle(r.URL.Path)
	}
	if answer.code == http.StatusCreated && strings.HasSuffix(r.URL.Path, "/pods") {
		var p corev1.Pod
		if err := json.Unmarshal(answer.body, &p); err != nil {
			return nil, err
		}
		s.work.Go(func() { s.kubelet(p) })
	}
	return respond(r, answer.code, io.NopCloser(bytes.NewReader(answer.body))), nil
}

// path leads from the simulation's namespace to the real one.
func (s *Server) path(uri string) string {
	return strings.Replace(uri, "/namespaces/"+world.Namespace+"/", "/namespaces/"+s.namespace+"/", 1)
}

func (s *Server) watch(r *http.Request, q request) (*http.Response, error) {
	list, resume := s.list(r), ""
	if r.URL.Query().Get("sendInitialEvents") == "" {
		resume = list
	}
	answer := s.b.open(q, resume)
	if answer.err != nil {
		return nil, answer.err
	}
	if answer.from == nil {
		return respond(r, answer.code, io.NopCloser(bytes.NewReader(answer.body))), nil
	}
	out := &stream{s: s, ctx: r.Context(), from: answer.from, list: list, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.streams[out] = true
	s.mu.Unlock()
	s.follow(out)
	return respond(r, answer.code, out), nil
}

// list returns the path of the list of a watch's objects.
func (s *Server) list(r *http.Request) string {
	q := url.Values{}
	for _, name := range []string{"labelSelector", "fieldSelector"} {
		if value := r.URL.Query().Get(name); value != "" {
			q.Set(name, value)
		}
	}
	return s.path(r.URL.Path) + "?" + q.Encode()
}

// settle waits until the watches of a resource have reported a change.
func (s *Server) settle(path string) {
	before, after, _ := strings.Cut(s.path(path), "/namespaces/"+s.namespace+"/")
	resource, _, _ := strings.Cut(after, "/")
	prefix := before + "/namespaces/" + s.namespace + "/" + resource + "?"
	s.mu.Lock()
	var all []*stream
	for one := range s.streams {
		if strings.HasPrefix(one.list, prefix) {
			all = append(all, one)
		}
	}
	s.mu.Unlock()
	for _, one := range all {
		s.follow(one)
	}
}

// follow waits until a watch has reported everything, and wakes its reader.
func (s *Server) follow(w *stream) {
	if err := s.b.follow(w.from, w.list); err != nil {
		s.t.Errorf("a watch doesn't report what %s contains: %v", w.list, err)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// must sends a request as a node, a controller or a user, and returns the answer.
func (s *Server) must(q request) []byte {
	answer := s.b.send(q)
	if answer.err != nil || answer.code >= 300 {
		s.t.Errorf("%s %s: %d %v: %s", q.method, q.path, answer.code, answer.err, answer.body)
	}
	return answer.body
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // an object of the API
	}
	return data
}

func respond(r *http.Request, code int, body io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r,
	}
}

// stream is a watch inside the bubble.
type stream struct {
	s    *Server
	ctx  context.Context // of the request
	from *source
	list string        // the path of the list of its objects
	wake chan struct{} // full when there may be something to read
}

// look is how often a stream looks for events that have arrived late, by the simulation's clock.
const look = 500 * time.Millisecond

// Read implements io.Reader.
func (w *stream) Read(p []byte) (int, error) {
	for {
		if n, err := w.from.take(p); n > 0 || err != nil {
			return n, err
		}
		t := time.NewTimer(look)
		select {
		case <-w.wake:
		case <-t.C:
		case <-w.s.closed:
			t.Stop()
			return 0, io.EOF
		case <-w.ctx.Done():
			t.Stop()
			return 0, context.Cause(w.ctx)
		}
		t.Stop()
	}
}

// Close implements io.Closer.
func (w *stream) Close() error {
	w.from.stop()
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	delete(w.s.streams, w)
	return nil
}
