// Package groups requests and releases slots in the concurrency groups of a cluster. Each group has a Lease, whose annotations
// contain the holders of its slots and the queue of the waiters. All runs write it with optimistic locking: if two runs try
// to take the last slot, one of them finds it taken.
//
// The Lease stores the slots and has no term: no clock takes a slot from its holder. If a run can no longer release its slot,
// a waiter takes the slot over when no Job and no pod of that run is left: see departed.go.
package groups

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// Host is the run's driver.
type Host interface {
	// Async runs work in another goroutine, and then the function that it returns in the loop, unless it is nil. It is called
	// in the loop.
	Async(work func(ctx context.Context) func())
	// Post runs a function in the loop. It is called by any goroutine.
	Post(f func())
	// Feed passes an event to the engine. It is called in the loop.
	Feed(e record.Event)
	// Notify notifies the observers of the run of an event that is not part of the run's log. It is called in the loop.
	Notify(e record.Event)
	// Logged waits until the run's log contains all events so far. It returns false if that is no longer possible. It is
	// called outside the loop.
	Logged(ctx context.Context) bool
	// MayAct waits until this coordinator may change the cluster, and returns until when it may. The error is
	// journal.ErrTakenOver if another coordinator drives the run. It is called outside the loop.
	MayAct(ctx context.Context) (until time.Time, err error)
}

// Options identify the run and its project.
type Options struct {
	Client    *kubeclient.Client
	Requests  *requests.Requests
	Project   string
	Namespace string
	Job       string // the run's name
	JobUID    string
	Pace      time.Duration // see requests.New
}

// Groups are the concurrency groups of a run: the slots that it holds, and those that it waits for. It is owned by the
// host's loop.
type Groups struct {
	o         *Options
	host      Host
	lease     *leases
	waits     map[engine.Slot]*waiter
	held      map[engine.Slot]bool
	lingers   map[string]*linger   // by pod
	late      map[engine.Slot]bool // the slots that are released when their last pod has ended
	dead      map[string]bool      // departed members, by deadKey
	watching  bool
	blind     error // why the watch of the Leases is interrupted; nil: it works
	releasing sync.WaitGroup
}

// New returns the groups of a run that holds no slot yet.
func New(o *Options, host Host) *Groups {
	return &Groups{
		o: o, host: host, lease: &leases{o: o, host: host}, waits: map[engine.Slot]*waiter{}, held: map[engine.Slot]bool{}, lingers: map[string]*linger{},
		late: map[engine.Slot]bool{}, dead: map[string]bool{},
	}
}

func (g *Groups) warn(step, text string) {
	g.host.Notify(record.Event{Version: record.Version, Type: record.Warned, At: now(), Run: g.o.Job, Step: step, Text: text})
}

// now returns the current time as records contain it.
func now() time.Time { return time.Now().UTC().Round(0) }

// waiter is a request for a slot.
type waiter struct {
	slot  engine.Slot
	skip  bool
	since time.Time

	busy, again bool          // a look is in progress; another one is to follow
	tried       chan struct{} // closed when the last look has ended; nil: there was none
	gone        bool          // the request was withdrawn
	told        string        // what it waits for, as last reported
	version     string        // of the Lease at the last look
	ahead       []Member
	pass        bool // the waiters ahead have had enough time to take a slot
	timer       *time.Timer
	jobs        map[string]context.CancelFunc // end the watches of the Jobs of holders, by UID
}

// passAfter is how long a free slot is reserved for the runs that are ahead in the queue. Only the order of the runs depends
// on it.
const passAfter = 30 * time.Second

// Request requests a slot. The answer is an event: GroupEntered or GroupBusy.
func (g *Groups) Request(a engine.RequestSlot) {
	w := &waiter{slot: a.Slot, skip: a.Skip, since: now(), jobs: map[string]context.CancelFunc{}}
	g.waits[a.Slot] = w
	g.look(w)
}

// look takes a slot if one is free.
func (g *Groups) look(w *waiter) {
	if w.busy {
		w.again = true
		return
	}
	tried := make(chan struct{})
	w.busy, w.again, w.tried = true, false, tried
	var passed []Member
	if w.pass {
		passed = w.ahead
	}
	try := try{host: g.host, lease: g.lease, slot: w.slot, skip: w.skip, passed: passed, dead: maps.Clone(g.dead)}
	g.host.Async(func(ctx context.Context) func() {
		found := try.do(ctx)
		close(tried)
		if ctx.Err() != nil || found.lost {
			return nil // a successor repeats the request, or finds the slot
		}
		return func() { g.looked(w, &found) }
	})
}

// looked handles the result of a look.
func (g *Groups) looked(w *waiter, f *found) {
	w.busy = false
	for _, key := range f.dead {
		g.dead[key] = true
	}
	e := record.Event{Type: record.GroupEntered, Step: w.slot.Step, Attempt: w.slot.Attempt}
	switch {
	case w.gone: // Release handles the slot if it was taken
		return
	case f.in:
		g.held[w.slot] = true
	case f.err != nil:
		e.Type, e.Reason, e.Text = record.GroupBusy, record.ReasonGroup, fmt.Sprintf("group %s can't be entered: %s", w.slot.Group, f.err)
		if f.maybe { // the Lease may list the slot as taken
			g.withdraw(w.slot, nil)
		}
	case w.skip:
		e.Type, e.Text = record.GroupBusy, fmt.Sprintf("group %s is busy: %s", w.slot.Group, engine.DescribeHolders(f.entries.holders, engineHolder))
	default:
		g.wait(w, f)
		return
	}
	g.done(w)
	g.host.Feed(e)
}

// wait makes a waiter continue to wait after a look.
func (g *Groups) wait(w *waiter, f *found) {
	w.version = f.version
	if !slices.EqualFunc(f.ahead, w.ahead, func(a, b Member) bool { return a.is(&b) }) {
		w.ahead, w.pass = f.ahead, false
		if w.timer != nil {
			w.timer.Stop()
			w.timer = nil
		}
	}
	g.tellWait(w, f.entries.holders)
	g.watchMembers(w, f.entries.holders)
	g.watch()
	if len(f.ahead) > 0 && w.timer == nil {
		patience := passAfter
		if g.o.Pace > 0 {
			patience = 100 * g.o.Pace
		}
		var t *time.Timer
		t = time.AfterFunc(patience, func() {
			g.host.Post(func() {
				if w.timer != t { // the timer fired before it could be stopped
					return
				}
				w.timer, w.pass = nil, true
				if g.waits[w.slot] == w {
					g.look(w)
				}
			})
		})
		w.timer = t
	}
	if w.again {
		g.look(w)
	}
}

// tellWait reports the holders of the slots if they have changed.
func (g *Groups) tellWait(w *waiter, holders []Member) {
	text := fmt.Sprintf("a slot in group %s: %s", w.slot.Group, engine.DescribeHolders(holders, engineHolder))
	if len(holders) < w.slot.Limit {
		text = fmt.Sprintf("a slot in group %s: other runs are ahead in the queue", w.slot.Group)
	}
	if text != w.told {
		w.told = text
		g.tell(record.Event{At: w.since, Step: w.slot.Step, Attempt: w.slot.Attempt, Text: text})
	}
}

func (g *Groups) tell(e record.Event) {
	e.Version, e.Type, e.Run = record.Version, record.StepWaiting, g.o.Job
	g.host.Notify(e)
}

// done ends a request.
func (g *Groups) done(w *waiter) {
	delete(g.waits, w.slot)
	for _, stop := range w.jobs {
		stop()
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.told != "" {
		g.tell(record.Event{At: now(), Step: w.slot.Step, Attempt: w.slot.Attempt})
	}
}

// watch starts to watch the Leases when a slot is first waited for. One watch serves all groups.
func (g *Groups) watch() {
	if g.watching {
		return
	}
	g.watching = true
	g.host.Async(func(ctx context.Context) func() {
		g.o.Client.WatchLeases(ctx, kube.LabelComponent+"="+kube.ComponentGroup, kubeclient.Watcher[*coordinationv1.Lease]{
			Changed: func(l *coordinationv1.Lease) { g.host.Post(func() { g.changed(l) }) },
			Gone:    func(l *coordinationv1.Lease) { g.host.Post(func() { g.vanished(l.Name) }) },
			Listed:  func(there map[string]types.UID) { g.host.Post(func() { g.listed(there) }) },
			Fault:   func(err error) { g.host.Post(func() { g.fault(err) }) },
		})
		return nil
	})
}

// fault reports that the watch of the Leases is interrupted, once for each interruption.
func (g *Groups) fault(err error) {
	if err != nil && g.blind == nil {
		g.warn("", "the coordinator can't watch its leases: "+err.Error())
	}
	g.blind = err
}

// changed handles a change of a Lease: it looks again if a slot may be free, and ignores changes of the queue.
func (g *Groups) changed(l *coordinationv1.Lease) {
	r, err := readEntries(l)
	for _, w := range g.waiting(l.Name) {
		me := g.lease.member(w.slot)
		switch {
		case l.ResourceVersion == w.version:
		case err != nil, len(r.holders) < w.slot.Limit, find(r.holders, &me) >= 0, find(r.queue, &me) < 0:
			g.look(w)
		default:
			g.tellWait(w, r.holders)
			g.watchMembers(w, r.holders)
		}
	}
}

func (g *Groups) vanished(name string) {
	for _, w := range g.waiting(name) {
		g.look(w)
	}
}

// listed looks again for the groups whose Lease is not among those that exist: it may have been removed before the watch saw
// it.
func (g *Groups) listed(there map[string]types.UID) {
	for _, w := range g.waits {
		if there[kube.GroupLease(g.o.Project, w.slot.Group)] == "" {
			g.look(w)
		}
	}
}

// waiting returns the requests for a slot in the group of a Lease.
func (g *Groups) waiting(name string) []*waiter {
	var out []*waiter
	for _, w := range g.waits {
		if kube.GroupLease(g.o.Project, w.slot.Group) == name {
			out = append(out, w)
		}
	}
	return out
}
