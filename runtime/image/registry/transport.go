package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// errSilent reports that a registry sent no data in time.
var errSilent = errors.New("no data was transferred")

// dialTimeout limits how long a connection may take, because a host that drops packets never responds.
const dialTimeout = 10 * time.Second

func newTransport() http.RoundTripper {
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	return t
}

// Watch returns a transport that connects within some seconds, and ends a request that transfers no data for the duration.
func Watch(silence time.Duration) http.RoundTripper {
	return &watchdog{next: newTransport(), silence: silence}
}

// watchdog ends a request that transfers no data for some time. A limit on the whole request would either cut off a
// large image on a slow line, or let a dead connection hang.
type watchdog struct {
	next    http.RoundTripper
	silence time.Duration
}

func (w *watchdog) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(w.silence, func() { cancel(errSilent) })
	watch := &watch{timer: timer, silence: w.silence, done: func() { timer.Stop(); cancel(nil) }, cause: func() error { return context.Cause(ctx) }}
	req = req.Clone(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &watchedBody{ReadCloser: req.Body, watch: watch}
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		err = watch.why(err)
		watch.done()
		return nil, err
	}
	timer.Reset(w.silence)
	resp.Body = &watchedBody{ReadCloser: resp.Body, watch: watch, last: true}
	return resp, nil
}

// watch is the timer of one request.
type watch struct {
	timer   *time.Timer
	silence time.Duration
	done    func()
	cause   func() error
}

// why replaces a cancelled context by errSilent if the watch cancelled it.
func (w *watch) why(err error) error {
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(w.cause(), errSilent) {
		return errSilent
	}
	return err
}

// watchedBody is the body of a request or a response. Each read of it restarts the watch.
type watchedBody struct {
	io.ReadCloser
	watch *watch
	last  bool // its end ends the request
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.watch.timer.Reset(b.watch.silence)
	n, err := b.ReadCloser.Read(p)
	if b.last && errors.Is(err, io.EOF) {
		b.watch.timer.Stop()
	}
	return n, b.watch.why(err)
}

func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.last {
		b.watch.done()
	}
	return err
}
