// Package requests limits and repeats the requests that a coordinator sends to the Kubernetes API. It knows nothing of what
// they are about.
package requests

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Timeout limits a request that is not answered. The server may have obeyed it all the same.
const Timeout = 30 * time.Second

// atOnce is how many requests about pods are sent at the same time.
const atOnce = 16

// Requests limits how many requests about pods are under way, and repeats those that have failed. It is safe for
// concurrent use.
type Requests struct {
	// Steady says that the pauses between tries are not random. It is set before the first request.
	Steady bool

	slots chan struct{}
	pace  time.Duration // the first pause between tries; 0: the one that is good for a server
}

// New returns requests whose first pause between tries is pace; 0: the one that is good for a server.
func New(pace time.Duration) *Requests {
	return &Requests{slots: make(chan struct{}, atOnce), pace: pace}
}

// Enter waits until a request may be sent, and returns the function that ends it.
func (q *Requests) Enter() (leave func()) {
	q.slots <- struct{}{}
	return func() { <-q.slots }
}

// BackOff returns the pauses between the tries of a request.
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

// Retry sends a request until the server answers it with more than that it has no time.
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

// passing reports whether an error may pass by itself.
func passing(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return true // no answer at all
	}
	code := status.Status().Code
	return code == 429 || code >= 500
}
