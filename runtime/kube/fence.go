package kube

import (
	"context"
	"sync"
	"time"
)

// fenceAfter is how long after the last renewal of its Lease a coordinator still creates and deletes pods. It is shorter
// than leaseExpiry: when a successor acts because the Lease has expired, this coordinator has stopped to act.
const fenceAfter = 20 * time.Second

// fence keeps a coordinator from acting that may have been taken over: one that was cut off from the API server, or frozen.
// It knows when the Lease was renewed, by this machine's own clock. It is safe for concurrent use.
type fence struct {
	mu      sync.Mutex
	renewed time.Time     // when the last request that has renewed the Lease was sent; zero: never
	open    chan struct{} // closed at the next renewal
	err     error         // why the Lease could not be renewed since
	wanted  chan struct{} // full while a goroutine waits for a renewal
	lost    <-chan struct{}
}

func newFence(lost <-chan struct{}) *fence {
	return &fence{open: make(chan struct{}), wanted: make(chan struct{}, 1), lost: lost}
}

// renew notes that a request that was sent at a time has renewed the Lease.
func (f *fence) renew(sent time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.renewed, f.err = sent, nil
	close(f.open)
	f.open = make(chan struct{})
}

// fail notes that the Lease could not be renewed.
func (f *fence) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// closed reports whether the coordinator must not act at the moment, and why.
func (f *fence) closed() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renewed.IsZero() || age(f.renewed) >= fenceAfter, f.err
}

// age returns how long ago the Lease was renewed. The monotonic clock of some machines stops while they are suspended, so
// the wall clock counts too.
func age(since time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

// pass waits until the Lease was renewed recently, and returns the time from which on a successor may act. The error is
// ErrTakenOver if another coordinator has taken the Lease.
func (f *fence) pass(ctx context.Context) (until time.Time, err error) {
	for {
		select {
		case <-f.lost:
			return time.Time{}, ErrTakenOver
		default:
		}
		f.mu.Lock()
		renewed, open := f.renewed, f.open
		f.mu.Unlock()
		if !renewed.IsZero() && age(renewed) < fenceAfter {
			return renewed.Add(leaseExpiry), nil
		}
		select {
		case f.wanted <- struct{}{}:
		default:
		}
		select {
		case <-open:
		case <-f.lost:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}
