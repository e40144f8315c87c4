package main

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// meter counts the requests that pass through it. It is safe for concurrent use.
type meter struct {
	levels map[string]string // the names of priority levels, by UID; not changed

	sent, busy   atomic.Int64 // requests, and answers with the code 429
	active, most atomic.Int64 // requests at once, watches not included
	level        sync.Map     // the UIDs of the priority levels of the answers
	transport    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("watch") != "" {
		return m.transport.RoundTrip(r)
	}
	m.sent.Add(1)
	now := m.active.Add(1)
	defer m.active.Add(-1)
	for most := m.most.Load(); now > most && !m.most.CompareAndSwap(most, now); most = m.most.Load() {
	}
	answer, err := m.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusTooManyRequests {
		m.busy.Add(1)
	}
	if uid := answer.Header.Get("X-Kubernetes-Pf-Prioritylevel-Uid"); uid != "" {
		m.level.Store(uid, true)
	}
	return answer, nil
}

// priority returns the names of the priority levels in which the requests were served.
func (m *meter) priority() string {
	var names []string
	for uid := range m.level.Range {
		names = append(names, m.levels[uid.(string)])
	}
	slices.Sort(names)
	return strings.Join(names, "+")
}

// user is an identity that sends requests.
type user struct {
	what, name string
	groups     []string
}

// client sends a few requests a second, as a user with kubectl or a small controller does.
type client struct {
	user      user
	meter     *meter
	api       kubernetes.Interface
	namespace string
	took      []time.Duration
}

func (w *world) newClient(u user) (*client, error) {
	config, m := w.config(u)
	api, err := kubernetes.NewForConfig(config)
	return &client{user: u, meter: m, api: api, namespace: w.namespace}, err
}

// config returns the configuration of a client that acts as a user, and counts its requests.
func (w *world) config(u user) (*rest.Config, *meter) {
	m := &meter{levels: w.levels}
	c := rest.CopyConfig(w.admin)
	c.Impersonate = rest.ImpersonationConfig{UserName: u.name, Groups: u.groups}
	c.Wrap(func(t http.RoundTripper) http.RoundTripper {
		m.transport = t
		return m
	})
	return c, m
}

// every is the time between two requests of a client.
const every = 100 * time.Millisecond

// ask reads an object and lists some in turn, until ctx ends.
func (c *client) ask(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		began, err := time.Now(), error(nil)
		if n%2 == 0 {
			_, err = c.api.CoreV1().ConfigMaps(c.namespace).Get(ctx, "one", metav1.GetOptions{})
		} else {
			_, err = c.api.CoreV1().ConfigMaps(c.namespace).List(ctx, metav1.ListOptions{})
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		c.took = append(c.took, time.Since(began))
	}
}

// percentile returns the latency that so many percent of the requests don't exceed.
func (c *client) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(c.took))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
