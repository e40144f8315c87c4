package s3_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/schema/program"
)

// proxy is in front of the real server and spoils requests.
type proxy struct {
	*httptest.Server
	to *httputil.ReverseProxy

	mu    sync.Mutex
	seen  []string // method and query of each request
	fault fault
}

// fault returns what happens to the n-th request (from 1); nil: it is passed on.
type fault func(r *http.Request, n int) http.Handler

func newProxy(t *testing.T, b *storetest.Bucket) *proxy {
	u, err := url.Parse(b.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	p.to = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = u.Scheme, u.Host, r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r.Method+" "+r.URL.RawQuery)
	n, f := len(p.seen), p.fault
	p.mu.Unlock()
	if f != nil {
		if h := f(r, n); h != nil {
			h.ServeHTTP(w, r)
			return
		}
	}
	p.to.ServeHTTP(w, r)
}

// spoil restarts the count.
func (p *proxy) spoil(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.fault = nil, f
}

// count is how many requests there were since, of a method.
func (p *proxy) count(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, s := range p.seen {
		if strings.HasPrefix(s, method+" ") {
			n++
		}
	}
	return n
}

func (p *proxy) store(b *storetest.Bucket) program.Store {
	s := b.Store("p")
	s.Endpoint = p.URL
	return s
}

// answer is what a server says instead.
func answer(status int, code string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if code != "" && r.Method != http.MethodHead {
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>about %s</Message></Error>", code, code)
		}
	})
}

// lost passes the request on and cuts the connection instead of answering.
func (p *proxy) lost() http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p.to.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// cut ends the answer after so many bytes of its body.
func (p *proxy) cut(after int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.to.ServeHTTP(&cutting{ResponseWriter: w, left: after}, r)
	})
}

type cutting struct {
	http.ResponseWriter
	left int
}

func (c *cutting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b[:min(len(b), c.left)])
	if c.left -= n; c.left <= 0 || err != nil {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// half takes half of the body and cuts the connection.
func half(r *http.Request) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		panic(http.ErrAbortHandler)
	})
}
