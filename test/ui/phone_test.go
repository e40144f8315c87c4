package ui_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// phone is a server that html artifacts try to reach.
type phone struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func listen(t *testing.T) *phone {
	p := &phone{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.seen = append(p.seen, r.URL.Path)
	}))
	t.Cleanup(p.Close)
	return p
}

// calls returns the paths that were requested.
func (p *phone) calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}
