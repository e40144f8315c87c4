package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/record"
)

// groups are the concurrency groups of a run: the places in them that it holds, and those that it waits for. It belongs
// to the driver's loop. Who is in a group stands in a Lease that all runs write, see roster.go; whether one of them can't
// leave any more is found out in departed.go.
type groups struct {
	d        *driver
	waits    map[engine.Hold]*waiter
	held     map[engine.Hold]bool
	lingers  map[string]*linger // by pod
	late     map[engine.Hold]bool
	dead     map[string]bool // members' Jobs of which nothing is left in a group, by deadKey
	watching bool
	leaving  sync.WaitGroup
}

func newGroups(d *driver) *groups {
	return &groups{
		d: d, waits: map[engine.Hold]*waiter{}, held: map[engine.Hold]bool{}, lingers: map[string]*linger{}, late: map[engine.Hold]bool{},
		dead: map[string]bool{},
	}
}

// waiter is a question for a place.
type waiter struct {
	hold  engine.Hold
	skip  bool
	since time.Time

	busy, again bool          // someone looks; and then once more
	tried       chan struct{} // closed when who looked last has done what it could; nil: nobody has
	gone        bool          // it was taken back
	told        string        // what it waits for, as it was told
	version     string        // of the Lease, when it was looked at last
	ahead       []member
	pass        bool // those ahead have had the time to come in
	timer       *time.Timer
	jobs        map[string]context.CancelFunc // of those that hold places: watched, by UID
}

// passAfter is how long a free place is left to those who came before. It is only about whose turn it is.
const passAfter = 30 * time.Second

// enter asks for a place.
func (g *groups) enter(a engine.EnterGroup) {
	w := &waiter{hold: a.Hold, skip: a.Skip, since: now(), jobs: map[string]context.CancelFunc{}}
	g.waits[a.Hold] = w
	g.look(w)
}

// look sees whether there is a place, and takes it.
func (g *groups) look(w *waiter) {
	if w.busy {
		w.again = true
		return
	}
	tried := make(chan struct{})
	w.busy, w.again, w.tried = true, false, tried
	var passed []member
	if w.pass {
		passed = w.ahead
	}
	try := try{d: g.d, hold: w.hold, skip: w.skip, passed: passed, dead: maps.Clone(g.dead)}
	g.d.async(func(ctx context.Context) func() {
		found := try.do(ctx)
		close(tried)
		if ctx.Err() != nil || found.lost {
			return nil // whoever goes on with the run asks again, or finds the place
		}
		return func() { g.looked(w, &found) }
	})
}

// found is what a look has found.
type found struct {
	in      bool
	roster  roster
	version string
	ahead   []member
	dead    []string // of which it was found out
	err     error
	lost    bool // the run is another coordinator's by now
}

// try is a try to take a place.
type try struct {
	d      *driver
	hold   engine.Hold
	skip   bool
	passed []member // those ahead, who have had the time to come in
	dead   map[string]bool
}

// do takes a place, if there is one, or stands in line. What has led to the question is in the run's log by then: else a
// coordinator that goes on with the run might not ask again, and nobody would give the place back.
func (t *try) do(ctx context.Context) (out found) {
	if !t.d.logged(ctx) {
		return found{lost: true}
	}
	me := t.d.member(t.hold)
	out.dead = t.departed(ctx, t.passed)
	for {
		out.roster, out.version, out.err = t.d.amend(ctx, t.hold.Group, func(r *roster) { out.in, out.ahead = t.admit(r, &me) })
		if out.in || out.err != nil || !t.skip {
			return out
		}
		// Before it is skipped: are those that hold the places still there?
		more := t.departed(ctx, out.roster.holders)
		if len(more) == 0 {
			return out
		}
		out.dead = append(out.dead, more...)
	}
}

// departed finds out which members there is nothing left of, and gives their keys.
func (t *try) departed(ctx context.Context, members []member) (found []string) {
	for i := range members {
		m := &members[i]
		if key := deadKey(m.UID, t.hold.Group); m.UID != t.d.o.JobUID && !t.dead[key] && t.d.departed(ctx, m, t.hold.Group) {
			t.dead[key] = true
			found = append(found, key)
		}
	}
	return found
}

// admit lets a member in, where there is a place and it is its turn, or else into the line. ahead are those whose turn is
// before, though there is a place.
func (t *try) admit(r *roster, me *member) (in bool, ahead []member) {
	if find(r.holders, me) >= 0 {
		return true, nil
	}
	isDead := func(m *member) bool { return t.dead[deadKey(m.UID, t.hold.Group)] }
	r.holders, r.waiting = drop(r.holders, isDead), drop(r.waiting, isDead)
	ahead = r.waiting
	if at := find(r.waiting, me); at >= 0 {
		ahead = r.waiting[:at]
	}
	ahead = drop(ahead, func(m *member) bool { return find(t.passed, m) >= 0 })
	free := t.hold.Limit - len(r.holders)
	m := *me
	m.Since = now()
	switch {
	case free > 0 && (t.skip || free > len(ahead)):
		r.waiting = drop(r.waiting, me.is)
		r.holders = append(r.holders, m)
		return true, nil
	case !t.skip && find(r.waiting, me) < 0 && len(r.waiting) < maxWaiting:
		r.waiting = append(r.waiting, m)
	}
	if free <= 0 {
		ahead = nil
	}
	return false, ahead
}

// looked goes on with what a look has found.
func (g *groups) looked(w *waiter, f *found) {
	w.busy = false
	for _, key := range f.dead {
		g.dead[key] = true
	}
	e := record.Event{Type: record.GroupEntered, Step: w.hold.Step, Attempt: w.hold.Attempt}
	switch {
	case w.gone: // leave sees to what was found
		return
	case f.in:
		g.held[w.hold] = true
	case f.err != nil:
		e.Type, e.Reason, e.Text = record.GroupBusy, record.ReasonGroup, fmt.Sprintf("the group %s can't be entered: %s", w.hold.Group, f.err)
	case w.skip:
		e.Type, e.Text = record.GroupBusy, fmt.Sprintf("the group %s is busy: %s", w.hold.Group, describeMembers(f.roster.holders))
	default:
		g.wait(w, f)
		return
	}
	g.done(w)
	g.d.feed(e)
}

// wait goes on waiting.
func (g *groups) wait(w *waiter, f *found) {
	w.version = f.version
	if !slices.EqualFunc(f.ahead, w.ahead, func(a, b member) bool { return a.is(&b) }) {
		w.ahead, w.pass = f.ahead, false
		if w.timer != nil {
			w.timer.Stop()
			w.timer = nil
		}
	}
	g.tellWait(w, f.roster.holders)
	g.watchMembers(w, f.roster.holders)
	g.watch()
	if len(f.ahead) > 0 && w.timer == nil {
		patience := passAfter
		if g.d.o.pace > 0 {
			patience = 100 * g.d.o.pace
		}
		var t *time.Timer
		t = g.d.after(patience, func() {
			if w.timer != t { // it was too late to stop it
				return
			}
			w.timer, w.pass = nil, true
			if g.waits[w.hold] == w {
				g.look(w)
			}
		})
		w.timer = t
	}
	if w.again {
		g.look(w)
	}
}

// tellWait tells those who watch who holds the places, when that has changed.
func (g *groups) tellWait(w *waiter, holders []member) {
	text := fmt.Sprintf("a place in the group %s: %s", w.hold.Group, describeMembers(holders))
	if len(holders) < w.hold.Limit {
		text = fmt.Sprintf("a place in the group %s: others are before it", w.hold.Group)
	}
	if text != w.told {
		w.told = text
		g.tell(record.Event{At: w.since, Step: w.hold.Step, Attempt: w.hold.Attempt, Text: text})
	}
}

func (g *groups) tell(e record.Event) {
	e.Version, e.Type, e.Run = record.Version, record.StepWaiting, g.d.run.Name
	g.d.tell(e)
}

// done ends a question.
func (g *groups) done(w *waiter) {
	delete(g.waits, w.hold)
	for _, stop := range w.jobs {
		stop()
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.told != "" {
		g.tell(record.Event{At: now(), Step: w.hold.Step, Attempt: w.hold.Attempt})
	}
}

// watch begins to see what happens to groups: one watch for all of them, from the first wait on.
func (g *groups) watch() {
	if g.watching {
		return
	}
	g.watching = true
	d := g.d
	d.working.Go(func() {
		d.client.WatchLeases(d.ctx, kube.LabelComponent+"="+kube.ComponentGroup, kubeclient.Watcher[*coordinationv1.Lease]{
			Changed: func(l *coordinationv1.Lease) { d.post(func() { g.changed(l) }) },
			Gone:    func(l *coordinationv1.Lease) { d.post(func() { g.vanished(l.Name) }) },
			Fault:   func(err error) { d.post(func() { d.fault("leases", err) }) },
		})
	})
}

// changed looks again where it is worth it: what others do in line is not.
func (g *groups) changed(l *coordinationv1.Lease) {
	r, err := readRoster(l)
	for _, w := range g.waiting(l.Name) {
		me := g.d.member(w.hold)
		switch {
		case l.ResourceVersion == w.version:
		case err != nil, len(r.holders) < w.hold.Limit, find(r.holders, &me) >= 0, find(r.waiting, &me) < 0:
			g.look(w)
		default:
			g.tellWait(w, r.holders)
			g.watchMembers(w, r.holders)
		}
	}
}

func (g *groups) vanished(name string) {
	for _, w := range g.waiting(name) {
		g.look(w)
	}
}

// waiting are those that wait for a place in the group of a Lease; of one group there is one.
func (g *groups) waiting(name string) []*waiter {
	var out []*waiter
	for _, w := range g.waits {
		if kube.GroupLease(g.d.program.Project, w.hold.Group) == name {
			out = append(out, w)
		}
	}
	return out
}

// describeMembers says who holds the places.
func describeMembers(holders []member) string {
	out := make([]engine.Holder, len(holders))
	for i := range holders {
		out[i] = engine.Holder{Run: holders[i].Run, Step: holders[i].Step}
	}
	return engine.Held(out)
}
