package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// requestTimeout limits a request that is not answered. The server may have obeyed it all the same.
const requestTimeout = 30 * time.Second

// requests limits how many requests about pods are under way, and repeats those that have failed. It is safe for
// concurrent use.
type requests struct {
	slots chan struct{}
	pace  time.Duration // the first pause between tries; 0: the one that is good for a server
}

func newRequests(pace time.Duration) *requests {
	return &requests{slots: make(chan struct{}, maxRequests), pace: pace}
}

// enter waits until a request may be sent, and returns the function that ends it.
func (q *requests) enter() (leave func()) {
	q.slots <- struct{}{}
	return func() { <-q.slots }
}

// backOff returns the pauses between the tries of a request.
func (q *requests) backOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 200*time.Millisecond, 15*time.Second
	if q.pace > 0 {
		b.InitialInterval, b.MaxInterval = q.pace, 10*q.pace
	}
	b.Reset()
	return b
}

// retry sends a request until the server answers it with more than that it has no time.
func (q *requests) retry(ctx context.Context, what string, send func(context.Context) error) error {
	wait := q.backOff()
	for {
		try, cancel := context.WithTimeout(ctx, requestTimeout)
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
