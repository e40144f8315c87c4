package kube

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/kube/groups"
	"pipec.dev/pipec/schema/record"
)

// groupHost implements groups.Host for a driver.
type groupHost struct{ *driver }

var _ groups.Host = groupHost{}

// Async runs work in the background, and the function that it returns in the loop.
func (h groupHost) Async(work func(context.Context) func()) { h.async(work) }

// Post runs f in the loop.
func (h groupHost) Post(f func()) { h.post(f) }

// Feed passes an event to the engine.
func (h groupHost) Feed(e record.Event) { h.feed(e) }

// Notify notifies the observers of the run of an event.
func (h groupHost) Notify(e record.Event) { h.tell(e) }

// Logged waits until the run's log contains all events so far. It returns false if ctx has ended or another coordinator drives
// the run.
func (h groupHost) Logged(ctx context.Context) bool {
	wait := h.requests.BackOff()
	for {
		err := h.run.Flush()
		if err == nil {
			return ctx.Err() == nil
		}
		if errors.Is(err, ErrTakenOver) {
			return false
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}
