package check

import (
	"fmt"
	"strings"
	"time"

	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
)

// limits returns the numbers of slots of all groups.
func limits(in *Input) map[string]int {
	out := map[string]int{}
	for i := range in.Reference.Runs {
		for _, s := range in.Reference.Runs[i].Program.All() {
			if s.Concurrency != nil {
				out[s.Concurrency.Group] = s.Concurrency.Limit
			}
		}
	}
	return out
}

// occupied returns how many live pods of all runs are in a group.
func occupied(live map[string]*history.Event, group string) int {
	n := 0
	for _, e := range live {
		for _, g := range e.Groups {
			if g == group {
				n++
			}
		}
	}
	return n
}

// groups: no more pods of all runs are live in a group than it has slots.
func groups(in *Input) (faults []Fault) {
	slots := limits(in)
	each(in.History, func(e *history.Event, live map[string]*history.Event) {
		if e.What != history.Created || late(in.Cell, e, in.named(e.Run)) {
			return
		}
		for _, group := range e.Groups {
			if n := 1 + occupied(live, group); n > slots[group] {
				faults = append(faults, Fault{"group", e.At, fmt.Sprintf("%d pods are live in the group %s of %d", n, group, slots[group])})
			}
		}
	})
	return faults
}

// named returns the name of a run in points.
func (in *Input) named(run string) string {
	if run == in.Reference.Runs[0].Name {
		return ""
	}
	return run
}

// patience is how long a slot may be free while a step waits for it. The holder of the slot may have lost its coordinator,
// and the waiter ahead too: their successors wait for the Lease for 30 s, and a waiter waits as long for those ahead of it.
const patience = 3 * time.Minute

// starved: no slot is free for long while a step waits for one.
func starved(in *Input) (faults []Fault) {
	most := patience
	for _, f := range in.Cell.Faults {
		m, _ := plan.Find(f.Mode)
		most += m.Outage
	}
	slots := limits(in)
	waits, free := map[waiter]string{}, map[string]time.Duration{}
	at := time.Duration(0)
	each(in.History, func(e *history.Event, live map[string]*history.Event) {
		for group, slots := range slots {
			if !waited(waits, group) || occupied(live, group) >= slots {
				delete(free, group)
				continue
			}
			since, ok := free[group]
			if !ok {
				since, free[group] = at, at
			}
			if e.At-since > most {
				faults = append(faults, Fault{"starved", since, fmt.Sprintf("a slot of the group %s was free for %s while a step waited for it", group, (e.At - since).Round(time.Second))})
				free[group] = e.At
			}
		}
		at = e.At
		note(waits, e)
	})
	return faults
}

// waiter is a step that waits for a slot, as a coordinator prints.
type waiter struct{ who, step string }

// note takes in an event that begins or ends waits.
func note(waits map[waiter]string, e *history.Event) {
	switch e.What {
	case history.Waiting:
		text, ok := strings.CutPrefix(e.Text, "a slot in group ")
		if !ok {
			delete(waits, waiter{e.Who, e.Step})
			return
		}
		waits[waiter{e.Who, e.Step}], _, _ = strings.Cut(text, ":")
	case history.Killed, history.Stopped, history.Cut: // its successor waits, or enters
		for w := range waits {
			if w.who == e.Who {
				delete(waits, w)
			}
		}
	}
}

func waited(waits map[waiter]string, group string) bool {
	for _, g := range waits {
		if g == group {
			return true
		}
	}
	return false
}
