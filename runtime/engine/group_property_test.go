package engine

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// drawGroups puts steps of a program into groups. Called steps get other groups than their callers, because a call that waits
// for its own slot would wait forever.
func drawGroups(t *rapid.T, p *program.Program) map[string]int {
	limits := map[string]int{}
	give := func(steps []program.Step, names ...string) {
		for i := range steps {
			name := rapid.SampledFrom(append(names, "")).Draw(t, "group")
			if name == "" || steps[i].Approval != nil {
				continue
			}
			if limits[name] == 0 {
				limits[name] = rapid.IntRange(1, 3).Draw(t, "group limit")
			}
			steps[i].Concurrency = &program.Concurrency{Group: name, Limit: limits[name], Skip: rapid.IntRange(0, 5).Draw(t, "skip") == 0}
		}
	}
	give(p.Steps, "r", "s")
	give(p.Finally, "r")
	for i := range p.Called {
		give(p.Called[i].Steps, p.Called[i].Name)
	}
	return limits
}

// slotTable is the state of the groups as a driver has it, with the slots of other runs.
type slotTable struct {
	limits map[string]int
	asked  map[string]RequestSlot // by Slot.Step and attempt
	held   map[Slot]bool
	others map[string]int
}

// take carries out an action of the engine.
func (st *slotTable) take(t *rapid.T, a Action) {
	switch a := a.(type) {
	case RequestSlot:
		for _, other := range st.asked {
			if other.Group == a.Group {
				t.Fatalf("%+v is requested together with %+v", a, other)
			}
		}
		if _, twice := st.asked[key(a.Slot)]; twice || st.held[a.Slot] {
			t.Fatalf("%+v is requested again", a)
		}
		st.asked[key(a.Slot)] = a
	case ReleaseSlot:
		_, asked := st.asked[key(a.Slot)]
		if !asked && !st.held[a.Slot] {
			t.Fatalf("%+v releases a slot that it doesn't hold", a)
		}
		delete(st.asked, key(a.Slot))
		delete(st.held, a.Slot)
	case StartAttempt:
		want := 0
		if a.Def.Concurrency != nil {
			want++
			if h := a.Slots[len(a.Slots)-1]; h.Step != a.Step || h.Attempt != a.Attempt {
				t.Fatalf("%+v runs with the slot %+v", a.Spec, h)
			}
		}
		for _, h := range a.Slots {
			if !st.held[h] || h.Step != a.Step && !record.Address(a.Step).Under(record.Address(h.Step)) {
				t.Fatalf("%+v is started without its slot %+v", a.Spec, h)
			}
		}
		for h := range st.held {
			if h.Step != a.Step && record.Address(a.Step).Under(record.Address(h.Step)) {
				want++
			}
		}
		if len(a.Slots) != want {
			t.Fatalf("%+v runs with %d slots, want %d", a.Spec, len(a.Slots), want)
		}
	case End:
		if len(st.asked)+len(st.held) > 0 {
			t.Fatalf("at the end %v are requested, and %v are held", st.asked, st.held)
		}
	}
}

func key(h Slot) string { return fmt.Sprintf("%s/%d", h.Step, h.Attempt) }

func (st *slotTable) count(group string) int {
	n := st.others[group]
	for h := range st.held {
		if h.Group == group {
			n++
		}
	}
	return n
}

// answers returns the events that may answer the requests now.
func (st *slotTable) answers() []record.Event {
	var out []record.Event
	for _, k := range sortedKeys(st.asked) {
		a := st.asked[k]
		switch free := st.count(a.Group) < a.Limit; {
		case free:
			out = append(out, record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt})
		case a.Skip:
			out = append(out, record.Event{Type: record.GroupBusy, Step: a.Step, Attempt: a.Attempt, Text: "other runs hold it"})
		}
	}
	return out
}

func (st *slotTable) answered(e record.Event) {
	k := key(Slot{Step: e.Step, Attempt: e.Attempt})
	if a := st.asked[k]; e.Type == record.GroupEntered {
		st.held[a.Slot] = true
	}
	delete(st.asked, k)
}

// TestGroupedRuns plays random runs whose steps share groups with other runs: they end, no attempt runs without its slots, no slot
// is held at the end or without an attempt, and a driver that takes over at any event finds the held slots in the log.
func TestGroupedRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawGrowing(t)
		limits := drawGroups(t, p)
		limit := rapid.IntRange(0, 3).Draw(t, "limit")
		s, err := New(p, newRun(), limit)
		if err != nil {
			t.Fatal(err)
		}
		st := &slotTable{limits: limits, asked: map[string]RequestSlot{}, held: map[Slot]bool{}, others: map[string]int{}}
		g := newGrowing(t, s)
		var open Open
		g.sent = func(e record.Event, actions []Action) {
			open.Observe(&e, actions)
			for _, a := range actions {
				st.take(t, a)
			}
		}
		g.send(record.Event{Type: record.RunStarted})
		for steps := 0; g.end == nil; steps++ {
			if steps > 5000 {
				t.Fatal("the run does not end")
			}
			for _, name := range sortedKeys(limits) { // other runs take and release slots
				switch free := limits[name] - st.count(name); rapid.IntRange(0, 5).Draw(t, "others") {
				case 0:
					st.others[name] += min(free, 1)
				case 1, 2:
					st.others[name] = max(st.others[name]-1, 0)
				}
			}
			answers := st.answers()
			switch n := rapid.IntRange(0, 80).Draw(t, "what"); {
			case n == 0:
				g.send(record.Event{Type: record.CancelRequested})
			case n == 1: // noise
				g.send(record.Event{Type: record.GroupEntered, Step: "a", Attempt: 99})
				g.send(record.Event{Type: record.GroupBusy, Step: "b", Attempt: 1 + len(g.log)})
			case n%2 == 0 && len(answers) > 0:
				e := rapid.SampledFrom(answers).Draw(t, "answer")
				st.answered(e)
				g.send(e)
			case !g.happen() && len(answers) == 0 && g.end == nil:
				waits := false
				for name := range limits {
					waits = waits || st.others[name] > 0
				}
				if !waits || len(st.asked) == 0 {
					t.Fatalf("the run neither waits nor ends: %+v", g.s.Steps())
				}
			}
			held, left := open.Slots()
			if len(held) != len(st.held) {
				t.Fatalf("%v are held, and %v according to the log", st.held, held)
			}
			for _, h := range append(held, left...) {
				if st.held[h] != slices.Contains(held, h) {
					t.Fatalf("the log is wrong about %+v", h)
				}
			}
			asked := 0
			for _, a := range open.Pending() {
				if a, ok := a.(RequestSlot); ok {
					asked++
					if st.asked[key(a.Slot)] != a {
						t.Fatalf("%+v is requested according to the log only", a)
					}
				}
			}
			if asked != len(st.asked) {
				t.Fatalf("%v are requested, and %d according to the log", st.asked, asked)
			}
			if limit > 0 && len(g.running)+len(g.checks) > limit {
				t.Fatalf("%d attempts at once, of %d", len(g.running), limit)
			}
			g.bounds(p)
		}
		again, err := New(p, newRun(), limit)
		if err != nil {
			t.Fatal(err)
		}
		var actions []Action
		for _, e := range g.log {
			_, more := Next(again, e)
			actions = append(actions, more...)
		}
		if !reflect.DeepEqual(actions, g.actions) {
			t.Fatal("the same events return different actions")
		}
	})
}

// TestLargeGroup: the cost of a waiting step does not grow with the number of waiting steps.
func TestLargeGroup(t *testing.T) {
	const n = 20000
	list := "[0" + strings.Repeat(",0", n-1) + "]"
	p := pipeline(step("a", perElement(list, 3), in("g", 5)))
	p.Steps[0].ForEach.MaxInstances = n
	s, err := New(p, newRun(), 10)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	queue, running, most, end := []record.Event{{Type: record.RunStarted}}, 0, 0, false
	for len(queue) > 0 {
		e := queue[0]
		queue = queue[1:]
		if e.Type == record.AttemptEnded {
			running--
		}
		_, actions := Next(s, e)
		for _, a := range actions {
			switch a := a.(type) {
			case RequestSlot:
				queue = slices.Insert(queue, 0, record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt})
			case StartAttempt:
				running++
				most = max(most, running)
				queue = append(queue, record.Event{Type: record.AttemptEnded, Step: a.Step, Attempt: a.Attempt, Result: &record.Result{Status: record.Succeeded}})
			case End:
				end = a.Status == record.Succeeded
			}
		}
	}
	if !end || most != 3 {
		t.Errorf("%d ran at once, and the run ended: %v", most, end)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}
