package kube

import (
	"context"

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

// Logged waits for the run's log.
func (h groupHost) Logged(ctx context.Context) bool { return h.logged(ctx) }
