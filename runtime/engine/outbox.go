package engine

import (
	"time"

	"pipec.dev/pipec/schema/record"
)

// outbox collects the actions for the event at hand.
type outbox struct {
	run     string    // its name
	now     time.Time // of the event at hand
	actions []Action
}

// begin starts over for an event.
func (o *outbox) begin(now time.Time) { o.now, o.actions = now, nil }

// take returns the actions and forgets them.
func (o *outbox) take() []Action {
	actions := o.actions
	o.actions = nil
	return actions
}

func (o *outbox) act(a Action) { o.actions = append(o.actions, a) }

// notify adds the action that reports an event of a step to those who watch the run.
func (o *outbox) notify(e record.Event) {
	e.Version, e.At, e.Run = record.Version, o.now, o.run
	o.act(Notify{e})
}
