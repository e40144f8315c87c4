package groups

import (
	"context"
	"errors"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/journal"
)

// found is the result of a look.
type found struct {
	in      bool
	maybe   bool // a request to write the Lease may have been obeyed, even if there is an error
	entries entries
	version string
	ahead   []Member
	dead    []string // keys of members that have departed
	err     error
	lost    bool // another coordinator drives the run
}

// try is one look at the Lease of a group, which takes a slot if one is free.
type try struct {
	host   Host
	lease  *leases
	slot   engine.Slot
	skip   bool
	passed []Member // the waiters ahead that have had enough time to take a slot
	dead   map[string]bool
}

// do takes a free slot, or joins the queue. It first waits until the run's log contains the events that led to the request.
// Otherwise a successor might not repeat the request, and the slot would never be released.
func (t *try) do(ctx context.Context) (out found) {
	if !t.host.Logged(ctx) {
		return found{lost: true}
	}
	me := t.lease.member(t.slot)
	out.dead = t.departed(ctx, t.passed)
	for {
		admitted := false
		out.entries, out.version, out.err = t.lease.amend(ctx, t.slot.Group, func(r *entries) {
			out.maybe = true
			admitted, out.ahead = t.admit(r, &me)
		})
		if errors.Is(out.err, journal.ErrTakenOver) {
			return found{lost: true}
		}
		out.in = admitted && out.err == nil
		if out.in || out.err != nil || !t.skip {
			return out
		}
		// Before the step is skipped, check whether the holders still exist.
		more := t.departed(ctx, out.entries.holders)
		if len(more) == 0 {
			return out
		}
		out.dead = append(out.dead, more...)
	}
}

// departed returns the keys of the members that have departed.
func (t *try) departed(ctx context.Context, members []Member) (found []string) {
	for i := range members {
		m := &members[i]
		if key := deadKey(m.UID, t.slot.Group); m.UID != t.lease.o.JobUID && !t.dead[key] && t.lease.departed(ctx, m, t.slot.Group) {
			t.dead[key] = true
			found = append(found, key)
		}
	}
	return found
}

// admit makes a member a holder if there are enough free slots for it and for the waiters ahead of it. Otherwise it puts the
// member in the queue, and returns the waiters ahead if a slot is free.
func (t *try) admit(r *entries, me *Member) (in bool, ahead []Member) {
	if find(r.holders, me) >= 0 {
		return true, nil
	}
	isDead := func(m *Member) bool { return t.dead[deadKey(m.UID, t.slot.Group)] }
	r.holders, r.queue = drop(r.holders, isDead), drop(r.queue, isDead)
	ahead = r.queue
	if at := find(r.queue, me); at >= 0 {
		ahead = r.queue[:at]
	}
	ahead = drop(ahead, func(m *Member) bool { return find(t.passed, m) >= 0 })
	free := t.slot.Limit - len(r.holders)
	m := *me
	m.Since = now()
	switch {
	case free > 0 && (t.skip || free > len(ahead)):
		r.queue = drop(r.queue, me.is)
		r.holders = append(r.holders, m)
		return true, nil
	case !t.skip && find(r.queue, me) < 0 && len(r.queue) < maxWaiting:
		r.queue = append(r.queue, m)
	}
	if free <= 0 {
		ahead = nil
	}
	return false, ahead
}
