package engine

import (
	"strconv"

	"pipec.dev/pipec/schema/record"
)

// Open holds what the engine has asked for and nothing has answered yet: what a driver that takes a run over, and has
// folded its log, must see to. The zero value is empty.
type Open struct {
	asked map[string]Action
	order []string
	held  map[Hold]bool // places in groups that were entered; false: they were left, or not entered after all
	holds []Hold        // held, in order
}

// See takes in an event, and then what the engine asked for because of it.
func (o *Open) See(e *record.Event, actions []Action) {
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
		if a, ok := o.asked[key].(EnterGroup); ok {
			o.hold(a.Hold, e.Type == record.GroupEntered)
		}
		delete(o.asked, key)
	}
	for _, a := range actions {
		switch a := a.(type) {
		case StartAttempt:
			o.add(attemptKey("start", a.Step, a.Attempt), a)
		case StopAttempt:
			o.add(attemptKey("stop", a.Step, a.Attempt), a)
		case CheckCache:
			o.add("check/"+a.Step, a)
		case EnterGroup:
			o.add(attemptKey("enter", a.Step, a.Attempt), a)
		case LeaveGroup:
			delete(o.asked, attemptKey("enter", a.Step, a.Attempt))
			o.hold(a.Hold, false)
		case SetTimer:
			o.add("timer/"+a.Name, a)
		case End:
			o.add("end", a)
		}
	}
}

func (o *Open) add(key string, a Action) {
	if o.asked == nil {
		o.asked = map[string]Action{}
	}
	o.asked[key] = a
	o.order = append(o.order, key)
}

// Actions are those that are open, in the order in which they were asked for.
func (o *Open) Actions() []Action {
	var out []Action
	told := map[string]bool{}
	for _, key := range o.order {
		if a, ok := o.asked[key]; ok && !told[key] {
			out = append(out, a)
			told[key] = true
		}
	}
	return out
}

func (o *Open) hold(h Hold, held bool) {
	if o.held == nil {
		o.held = map[Hold]bool{}
	}
	if _, known := o.held[h]; !known {
		o.holds = append(o.holds, h)
	}
	o.held[h] = held
}

// Holds are the places in groups that are held, in the order in which they were entered; and those that were left, or
// not entered after all.
func (o *Open) Holds() (held, left []Hold) {
	for _, h := range o.holds {
		if o.held[h] {
			held = append(held, h)
		} else {
			left = append(left, h)
		}
	}
	return held, left
}

func attemptKey(what, step string, n int) string { return what + "/" + step + "/" + strconv.Itoa(n) }
