package kube

import (
	"context"
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

// Logged waits for the run's log.
func (h groupHost) Logged(ctx context.Context) bool { return h.logged(ctx) }

// MayAct waits until this coordinator may change the cluster.
func (h groupHost) MayAct(ctx context.Context) (time.Time, error) { return h.fence.pass(ctx) }
