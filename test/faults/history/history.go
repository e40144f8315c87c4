// Package history is what has happened in a simulated run, in order: the material that test/faults/check judges. It only
// records. It judges nothing, and knows neither a driver nor a server.
package history

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// What is the kind of an event.
type What string

// The kinds of events.
const (
	Sent     What = "sent"     // a call was sent; Text names it
	Reached  What = "reached"  // a call has reached its server; Text names it
	Faulted  What = "fault"    // a planned fault took place; Text names it
	Created  What = "created"  // the API server created a pod for Who
	Running  What = "running"  // a pod's container runs
	Ended    What = "ended"    // a pod's phase is final
	Gone     What = "gone"     // a pod doesn't exist any more
	Deleting What = "deleting" // the deletion of a pod was requested
	Process  What = "process"  // the user's process of an attempt was started
	Stored   What = "stored"   // an object was written to the store for Who; Text is its key
	Begun    What = "begun"    // a coordinator was started
	Stopped  What = "stopped"  // a coordinator has ended; Text is how
	Killed   What = "killed"   // a coordinator was killed
	Cut      What = "cut"      // a coordinator lost its network
	Back     What = "back"     // a coordinator got its network back
	Command  What = "command"  // a user has done something; Text is the command
	Told     What = "told"     // a coordinator has printed a warning; Text is the warning
	Waiting  What = "waiting"  // a coordinator has printed what a step waits for; Text is that, or "" when it no longer waits
)

// Event is one thing that has happened.
type Event struct {
	At      time.Duration // since the start of the simulation
	Who     string        // a coordinator, or the wrapper or the node of a pod
	What    What
	Run     string
	Step    string
	Attempt int
	Pod     string // its UID
	Groups  []string
	Text    string
}

func (e Event) String() string {
	parts := []string{fmt.Sprintf("%10s %-14s %-8s", e.At.Truncate(time.Microsecond), e.Who, e.What)}
	if e.Step != "" {
		parts = append(parts, fmt.Sprintf("%s/%d", e.Step, e.Attempt))
	}
	for _, text := range []string{e.Pod, e.Text} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// History records events. It is safe for concurrent use.
type History struct {
	start  time.Time
	mu     sync.Mutex
	events []Event
}

// New returns a history that starts now.
func New() *History { return &History{start: time.Now()} }

// Add records an event that happens now.
func (h *History) Add(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.At = time.Since(h.start)
	h.events = append(h.events, e)
}

// Events returns all events so far.
func (h *History) Events() []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[:len(h.events):len(h.events)]
}
