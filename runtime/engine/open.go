package engine

import (
	"strconv"

	"pipec.dev/pipec/schema/record"
)

// Open is the set of actions that the engine has asked for and that no event has answered yet. A driver that takes a run
// over builds it while it folds the run's log, and then carries the actions out. The zero value is empty.
type Open struct {
	asked map[string]Action
	order []string      // the keys of asked in the order of the first request, and keys that have been answered since
	held  map[Slot]bool // whether the run holds the slot; false: it was released, or the request was withdrawn or refused
	slots []Slot        // the keys of held, in order
}

// Observe takes in an event, and the actions that the engine has returned for it.
func (o *Open) Observe(e *record.Event, actions []Action) {
	switch e.Type {
	case record.AttemptEnded:
		delete(o.asked, attemptKey("start", e.Step, e.Attempt))
		delete(o.asked, attemptKey("stop", e.Step, e.Attempt))
	case record.CacheChecked:
		delete(o.asked, "check/"+e.Step)
	case record.TimerFired:
		delete(o.asked, "timer/"+e.Timer)
	case record.GroupEntered, record.GroupBusy:
		key := attemptKey("enter", e.Step, e.Attempt)
		if a, ok := o.asked[key].(RequestSlot); ok {
			o.setHeld(a.Slot, e.Type == record.GroupEntered)
		}
		delete(o.asked, key)
	}
	for _, a := range actions {
		o.ask(a)
	}
}

// ask takes in one action.
func (o *Open) ask(a Action) {
	switch a := a.(type) {
	case StartAttempt:
		o.add(attemptKey("start", a.Step, a.Attempt), a)
	case StopAttempt:
		o.add(attemptKey("stop", a.Step, a.Attempt), a)
	case CheckCache:
		o.add("check/"+a.Step, a)
	case RequestSlot:
		o.add(attemptKey("enter", a.Step, a.Attempt), a)
	case ReleaseSlot:
		delete(o.asked, attemptKey("enter", a.Step, a.Attempt))
		o.setHeld(a.Slot, false)
	case RequestApproval:
		o.add("ask/"+a.Step, a)
	case Notify:
		if a.Type == record.StepEnded { // an approval may also end by its timer, or because the run is cancelled
			delete(o.asked, "ask/"+a.Step)
		}
	case SetTimer:
		o.add("timer/"+a.Name, a)
	case End:
		o.add("end", a)
	}
}

func (o *Open) add(key string, a Action) {
	if o.asked == nil {
		o.asked = map[string]Action{}
	}
	o.asked[key] = a
	o.order = append(o.order, key)
}

// Pending returns the open actions, in the order in which the engine has asked for them.
func (o *Open) Pending() []Action {
	var out []Action
	var order []string
	seen := map[string]bool{}
	for _, key := range o.order {
		if a, ok := o.asked[key]; ok && !seen[key] {
			seen[key] = true
			out, order = append(out, a), append(order, key)
		}
	}
	o.order = order
	return out
}

// Started reports whether the attempt was started and has not ended.
func (o *Open) Started(id record.AttemptID) bool {
	_, ok := o.asked[attemptKey("start", id.Step, id.Attempt)]
	return ok
}

// Entering reports whether the attempt waits for its group to admit it.
func (o *Open) Entering(id record.AttemptID) bool {
	_, ok := o.asked[attemptKey("enter", id.Step, id.Attempt)]
	return ok
}

func (o *Open) setHeld(s Slot, held bool) {
	if o.held == nil {
		o.held = map[Slot]bool{}
	}
	if _, known := o.held[s]; !known {
		o.slots = append(o.slots, s)
	}
	o.held[s] = held
}

// Slots returns the slots that the run holds, in the order in which it got them, and the slots that it has released or not got.
func (o *Open) Slots() (held, released []Slot) {
	for _, s := range o.slots {
		if o.held[s] {
			held = append(held, s)
		} else {
			released = append(released, s)
		}
	}
	return held, released
}

func attemptKey(what, step string, n int) string { return what + "/" + step + "/" + strconv.Itoa(n) }
