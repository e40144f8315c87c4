package world

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

var (
	errDead  = errors.New("the process is dead")
	errReset = errors.New("connection reset by peer")
)

// latency is how long a call takes to its server, and an answer back.
const latency = 2 * time.Millisecond

// client is a process with a network: a coordinator, or the wrapper of a step. It is safe for concurrent use.
type client struct {
	w    *World
	run  *run
	kind string // plan.Coordinator or plan.Step
	name string
	// strike carries out a fault that is about the process and not about the call; it may be nil.
	strike func(plan.Mode, moment)

	mu      sync.Mutex
	dead    bool
	cut     chan struct{} // closed when the network is back; nil: it is there
	store   bool          // the cut leaves the store in reach
	watches []*watch
	blind   time.Time // until when watches and lists fail
	expired bool      // the versions of watches have expired
}

// moment is when a fault strikes.
type moment int

const (
	before moment = iota // the server has not heard of the call
	after                // the server has obeyed
)

// call is one call: what it is named, and how the server obeys it.
type call struct {
	verb, object string
	store        bool
	obey         func()
}

// refusal is the answer of a server that doesn't obey.
type refusal int

func (r refusal) Error() string { return "HTTP status " + strconv.Itoa(int(r)) }

func (c *client) isDead() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead
}

// send sends a call through the network, where the fault that is planned for it takes place. A nil error says that the
// answer of the server has arrived.
func (c *client) send(ctx context.Context, k call) error {
	if c.isDead() {
		return errDead
	}
	p, mode, planned := c.run.point(c.kind, k.verb, k.object)
	c.run.note(history.Event{Who: c.name, What: history.Sent, Text: p.String()})
	why := c.name + p.String()
	if planned && c.strike != nil {
		c.strike(mode, before)
	}
	if err := c.reach(ctx, k.store); err != nil {
		return err
	}
	if !c.w.pause(ctx, latency, why+" up") {
		return context.Cause(ctx)
	}
	if err := c.reach(ctx, k.store); err != nil {
		return err
	}
	if planned {
		if done, err := c.disturb(ctx, mode, k); done {
			return err
		}
	}
	c.run.note(history.Event{Who: c.name, What: history.Reached, Text: p.String()})
	k.obey()
	if planned && c.strike != nil {
		c.strike(mode, after)
	}
	if planned && mode.Name == "lost" {
		return errReset
	}
	if !c.w.pause(ctx, latency, why+" down") {
		return context.Cause(ctx)
	}
	return c.reach(ctx, k.store)
}

// disturb keeps a call from its server, if the mode says so.
func (c *client) disturb(ctx context.Context, m plan.Mode, k call) (done bool, err error) {
	switch m.Name {
	case "401", "403", "409", "422", "429", "500":
		code, _ := strconv.Atoi(m.Name)
		return true, refusal(code)
	case "reset":
		return true, errReset
	case "mute":
		k.obey()
		<-ctx.Done()
		return true, context.Cause(ctx)
	case "late":
		c.w.API.Go(func() {
			c.w.pause(context.WithoutCancel(ctx), 5*time.Second, "late "+k.verb+k.object)
			k.obey()
		})
		return true, errReset
	}
	return false, nil
}

// reach waits for the network, and returns why the process doesn't reach a server.
func (c *client) reach(ctx context.Context, store bool) error {
	c.mu.Lock()
	dead, cut := c.dead, c.cut
	if store && c.store {
		cut = nil
	}
	c.mu.Unlock()
	if dead {
		return errDead
	}
	if cut == nil {
		return nil
	}
	select {
	case <-cut: // what was on its way is lost
		return errReset
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// die ends the process: no call of it reaches a server any more.
func (c *client) die() {
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	c.eachWatch(func(w *watch) { _ = w.Close() })
}

// disconnect takes the network away, and returns what gives it back.
func (c *client) disconnect(store bool) (back func()) {
	cut := make(chan struct{})
	c.mu.Lock()
	c.cut, c.store = cut, store
	c.mu.Unlock()
	c.eachWatch(func(w *watch) { w.holdUntil(make(chan struct{})) }) // until it is interrupted
	return func() {
		c.mu.Lock()
		c.cut = nil
		c.mu.Unlock()
		close(cut)
		c.interrupt()
	}
}
