// Package bridge connects a simulation in a bubble of testing/synctest with a real API server.
//
// The clock of a bubble stops while one of its goroutines waits for something outside of it. So a request takes no
// time by the simulation's clock, however long the real server needs. A watch must not wait like that, or the clock would
// never move again: a goroutine outside of the bubble reads the stream, and the simulation looks at what has arrived after
// each change that it has made. As the simulation plays all controllers, nodes and users, nothing else changes.
package bridge

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// Bridge sends requests to a real API server from a goroutine outside of all bubbles. It is safe for concurrent use.
type Bridge struct {
	url       string
	token     string
	transport http.RoundTripper
	work      chan func()
	replies   chan chan reply // channels that were made outside of all bubbles
}

// request is a request without anything that belongs to a bubble.
type request struct {
	method, path, contentType string
	body                      []byte
}

type reply struct {
	code int
	body []byte
	from *source // of a watch
	err  error
}

// atOnce is how many requests are sent at the same time.
const atOnce = 64

// New returns a bridge to the server at url. It must be called outside of bubbles.
func New(url, token string, transport http.RoundTripper) *Bridge {
	b := &Bridge{url: url, token: token, transport: transport, work: make(chan func()), replies: make(chan chan reply, atOnce)}
	for range atOnce {
		b.replies <- make(chan reply, 1)
	}
	go func() {
		for f := range b.work {
			go f()
		}
	}()
	return b
}

// Close ends the bridge. There must be no request any more.
func (b *Bridge) Close() { close(b.work) }

// outside runs f outside of the bubble, and waits for its reply while the bubble's clock stops.
func (b *Bridge) outside(f func() reply) reply {
	answer := <-b.replies
	b.work <- func() { answer <- f() }
	r := <-answer
	b.replies <- answer
	return r
}

// limit is how long a server may need for an answer.
const limit = 2 * time.Minute

// send sends a request, and waits for the answer.
func (b *Bridge) send(q request) reply {
	return b.outside(func() reply {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		answer, err := b.do(ctx, q)
		if err != nil {
			return reply{err: err}
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		return reply{code: answer.StatusCode, body: body, err: err}
	})
}

// open sends the request of a watch. resume is the path of the list of its objects, if the client knows those that exist.
func (b *Bridge) open(q request, resume string) reply {
	return b.outside(func() reply {
		ctx, cancel := context.WithCancel(context.Background())
		known := versions{}
		if resume != "" {
			var err error
			if known, err = b.list(ctx, resume); err != nil {
				cancel()
				return reply{err: err}
			}
		}
		answer, err := b.do(ctx, q)
		if err != nil {
			cancel()
			return reply{err: err}
		}
		if answer.StatusCode != http.StatusOK {
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			cancel()
			return reply{code: answer.StatusCode, body: body, err: err}
		}
		s := &source{stop: cancel, seen: known}
		go s.read(answer.Body)
		return reply{code: answer.StatusCode, from: s}
	})
}

func (b *Bridge) do(ctx context.Context, q request) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, b.url+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Accept", "application/json")
	if q.contentType != "" {
		r.Header.Set("Content-Type", q.contentType)
	}
	return b.transport.RoundTrip(r)
}
