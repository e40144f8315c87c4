package kubetest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// How long a client waits in silence, as client-go configures it (k8s.io/apimachinery/pkg/util/net). kubeclient's TestSilence
// compares them with a real client.
const (
	// LostAfter is the time after which an established connection that delivers nothing is closed: after 30 s the client sends
	// an HTTP/2 ping, and waits 15 s for its answer.
	LostAfter = 45 * time.Second
	// DialTimeout is the time that a new connection has.
	DialTimeout = 30 * time.Second
)

var (
	errLost = errors.New("http2: client connection lost")
	errDial = errors.New("dial tcp: i/o timeout")
)

// Network is the way of one client to the server. While it is cut, nothing arrives in either direction, and nobody reports an
// error: requests that were sent are not answered, watches stay open and deliver nothing, and new connections hang. If it is
// repaired soon, what was held up arrives. Otherwise the client finds the connection lost, after LostAfter or DialTimeout.
//
// Its methods are safe for concurrent use.
type Network struct {
	server http.RoundTripper

	mu    sync.Mutex
	whole chan struct{} // closed when it is repaired; nil: it is not cut
	since time.Time     // when it was cut
}

// Network returns another way to the server.
func (a *API) Network() *Network { return &Network{server: a} }

// Cut cuts the network, unless it is cut.
func (n *Network) Cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.whole == nil {
		n.whole, n.since = make(chan struct{}), time.Now()
	}
}

// Repair makes the network work again.
func (n *Network) Repair() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.whole != nil {
		close(n.whole)
		n.whole = nil
	}
}

// pass waits while the network is cut. It returns the error that the client finds.
func (n *Network) pass(ctx context.Context) error {
	for {
		n.mu.Lock()
		whole, since := n.whole, n.since
		n.mu.Unlock()
		if whole == nil {
			return ctx.Err()
		}
		left, err := LostAfter-time.Since(since), errLost
		if left <= 0 { // the client has given up its connection, and opens another one
			left, err = DialTimeout, errDial
		}
		late := time.NewTimer(left)
		select {
		case <-whole:
			late.Stop()
		case <-late.C:
			return err
		case <-ctx.Done():
			late.Stop()
			return ctx.Err()
		}
	}
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := n.pass(r.Context()); err != nil {
		return nil, err
	}
	answer, err := n.server.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := n.pass(r.Context()); err != nil {
		_ = answer.Body.Close()
		return nil, err
	}
	answer.Body = &held{answer.Body, n, r.Context()}
	return answer, nil
}

// held is an answer that is held up while the network is cut.
type held struct {
	io.ReadCloser
	n   *Network
	ctx context.Context
}

func (h *held) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if lost := h.n.pass(h.ctx); lost != nil {
		_ = h.Close()
		return 0, lost
	}
	return n, err
}
