package kubeclient_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/kubeclient/kubetest"
)

// wires is a network in memory: a listener, and a dialer of the connections that it accepts. While it is cut, what is written
// to its connections is lost, without an error, and new connections are silent.
type wires struct {
	mu       sync.Mutex
	cut      bool
	dials    int
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once // closes closed
}

func newWires() *wires {
	return &wires{incoming: make(chan net.Conn, 10), closed: make(chan struct{})}
}

func (w *wires) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

func (w *wires) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

func (w *wires) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	w.mu.Lock()
	w.dials++
	w.mu.Unlock()
	w.incoming <- &wire{Conn: server, w: w}
	return &wire{Conn: client, w: w}, nil
}

func (w *wires) Accept() (net.Conn, error) {
	select {
	case c := <-w.incoming:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wires) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

func (w *wires) Addr() net.Addr { return &net.TCPAddr{} }

// wire is one end of a connection. A connection that was cut once stays silent: the other end has given it up.
type wire struct {
	net.Conn
	w *wires
}

func (c *wire) Write(p []byte) (int, error) {
	if c.w.isCut() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close of one end isn't seen by the other one while the network is cut. The test closes them in the end.
func (c *wire) Close() error {
	if !c.w.isCut() {
		return c.Conn.Close()
	}
	return c.Conn.SetDeadline(time.Unix(1, 0))
}

// A real client over HTTP/2 finds a silent connection lost after kubetest.LostAfter, with a request that is not answered and a watch
// that delivers nothing, and uses a new connection afterwards.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, w := kubetest.New(t), newWires()
		api.WatchList = true
		api.Put(newPod(0))
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("%s was sent with %s", r.URL, r.Proto)
			}
			forward(out, r, api)
		}))
		_ = server.Listener.Close()
		server.Listener, server.EnableHTTP2, server.Config.ErrorLog = w, true, log.New(io.Discard, "", 0)
		server.StartTLS()
		client, err := kubeclient.New(&rest.Config{Host: "https://cluster", Dial: w.dial, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}, "ns")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex
		seen := map[string]bool{}
		synced, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			client.WatchPods(ctx, "", kubeclient.Watcher[*corev1.Pod]{
				Changed: func(p *corev1.Pod) {
					mu.Lock()
					defer mu.Unlock()
					seen[p.Name] = true
				},
				Gone:   func(*corev1.Pod) {},
				Synced: func() { close(synced) },
			})
		}()
		<-synced
		w.set(true)
		api.Put(newPod(1))
		began := time.Now()
		_, err = client.GetPod(ctx, "pod-0")
		// The client finds the connection lost, and tries another one.
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "client connection lost") || took < kubetest.LostAfter || took > kubetest.LostAfter+kubetest.DialTimeout {
			t.Errorf("a request without an answer ended after %s: %v", took, err)
		}
		if _, err := client.GetPod(ctx, "pod-0"); err == nil {
			t.Error("a new connection works while the network is cut")
		}
		w.set(false)
		time.Sleep(time.Minute)
		mu.Lock()
		if !seen["pod-1"] {
			t.Errorf("the watch has seen %v", seen)
		}
		mu.Unlock()
		if _, err := client.GetPod(ctx, "pod-1"); err != nil {
			t.Error(err)
		}
		if w.dials < 3 {
			t.Errorf("%d connections were opened", w.dials)
		}
		stop()
		<-done
		server.CloseClientConnections()
		server.Close()
	})
}

// forward lets an API in memory answer a request of a real server.
func forward(out http.ResponseWriter, r *http.Request, api *kubetest.API) {
	answer, err := api.RoundTrip(r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		out.Header()[name] = values
	}
	out.WriteHeader(answer.StatusCode)
	flush := http.NewResponseController(out)
	_ = flush.Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := answer.Body.Read(buf)
		if _, werr := out.Write(buf[:n]); werr != nil || err != nil {
			return
		}
		if flush.Flush() != nil {
			return
		}
	}
}
