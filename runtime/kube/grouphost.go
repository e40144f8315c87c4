package kube

import (
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/kube/groups"
	"pipec.dev/pipec/schema/record"
)

// groupHost is the driver as its groups see it.
type groupHost struct{ *driver }

var _ groups.Host = groupHost{}

// Async implements groups.Host, as do the methods that follow.
func (h groupHost) Async(work func(context.Context) func()) { h.async(work) }

// Post runs f in the loop.
func (h groupHost) Post(f func()) { h.post(f) }

// Feed gives the engine an event.
func (h groupHost) Feed(e record.Event) { h.feed(e) }

// Notify reports an event to those who follow the run.
func (h groupHost) Notify(e record.Event) { h.tell(e) }

// Logged waits until everything that has happened so far is in the run's log. It reports false if ctx has ended or another
// coordinator drives the run.
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
