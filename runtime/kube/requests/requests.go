// Package requests limits and repeats the requests that a coordinator sends to the Kubernetes API. It does not depend on the
// content of the requests.
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

// atOnce is the number of requests about pods that are sent at the same time.
const atOnce = 16

// Requests limits the number of concurrent requests about pods, and repeats requests that have failed. It is safe for
// concurrent use.
type Requests struct {
	slots chan struct{}
	pace  time.Duration // the first pause before a request is repeated; 0: the default
}

// New returns requests with a first pause before a request is repeated; 0: the default. Tests set a short pause.
func New(pace time.Duration) *Requests {
	return &Requests{slots: make(chan struct{}, atOnce), pace: pace}
}

// Enter waits until a request may be sent. The caller calls the returned function after the request.
func (q *Requests) Enter() (leave func()) {
	q.slots <- struct{}{}
	return func() { <-q.slots }
}

// BackOff returns the pauses between the repetitions of a request.
func (q *Requests) BackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 200*time.Millisecond, 15*time.Second
	if q.pace > 0 {
		b.InitialInterval, b.MaxInterval = q.pace, 10*q.pace
	}
	b.Reset()
	return b
}

// Retry repeats a request until it succeeds or fails with an error that does not pass by itself.
func (q *Requests) Retry(ctx context.Context, what string, send func(context.Context) error) error {
	wait := q.BackOff()
	for {
		try, cancel := context.WithTimeout(ctx, Timeout)
		err := send(try)
		cancel()
		if err == nil || !passing(err) {
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

// passing reports whether an error may pass by itself, so that a repetition can succeed.
func passing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // there was no response
	}
	code := status.Status().Code
	return code == 429 || code >= 500
}
