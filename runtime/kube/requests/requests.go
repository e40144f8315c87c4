// Package requests repeats the requests that a coordinator sends to the Kubernetes API. It knows nothing of what they are
// about.
package requests

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Timeout limits the wait for a response. The server may have carried out a request that timed out.
const Timeout = 30 * time.Second

// DeniedGrace is how long a request is repeated that the server has no right for: new rights and tokens take a while to be
// known to all servers.
const DeniedGrace = time.Minute

// Requests repeats requests that have failed. It is safe for concurrent use.
type Requests struct {
	// Steady says that the pauses between tries are not random. It is set before the first request.
	Steady bool

	pace time.Duration // the first pause between tries; 0: the one that is good for a server
}

// New returns requests whose first pause between tries is pace; 0: the one that is good for a server.
func New(pace time.Duration) *Requests { return &Requests{pace: pace} }

// BackOff returns the pauses between the repetitions of a request.
func (q *Requests) BackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 200*time.Millisecond, 15*time.Second
	if q.pace > 0 {
		b.InitialInterval, b.MaxInterval = q.pace, 10*q.pace
	}
	if q.Steady {
		b.RandomizationFactor = 0
	}
	b.Reset()
	return b
}

// Retry sends a request until the server answers it with more than that it has no time. A request that is denied is sent
// again for a minute.
func (q *Requests) Retry(ctx context.Context, what string, send func(context.Context) error) error {
	wait, denied := q.BackOff(), time.Time{}
	for {
		try, cancel := context.WithTimeout(ctx, Timeout)
		err := send(try)
		cancel()
		switch {
		case err == nil:
			return nil
		case !Denied(err):
			denied = time.Time{}
			if !passing(err) {
				return err
			}
		case denied.IsZero():
			denied = time.Now()
		case time.Since(denied) >= DeniedGrace:
			return err
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("can't %s: %w", what, err)
		}
	}
}

// Denied reports whether the server has refused a request because the sender lacks the right: 401 or 403.
func Denied(err error) bool { return apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) }

// passing reports whether an error may pass by itself, so that a repetition can succeed.
func passing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // there was no response
	}
	code := status.Status().Code
	return code == 429 || code >= 500
}
