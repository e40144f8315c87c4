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

// drawGroups puts steps of a program into groups: those that are called into others than those that call, since a call
// that waited for its own place would wait for ever.
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

// places are the groups as a driver has them, with what others hold.
type places struct {
	limits map[string]int
	asked  map[string]EnterGroup // by Hold.Step and attempt
	held   map[Hold]bool
	others map[string]int
}

// take does what the engine asks for.
func (ps *places) take(t *rapid.T, a Action) {
	switch a := a.(type) {
	case EnterGroup:
		for _, other := range ps.asked {
			if other.Group == a.Group {
				t.Fatalf("%+v asks beside %+v", a, other)
			}
		}
		if _, twice := ps.asked[key(a.Hold)]; twice || ps.held[a.Hold] {
			t.Fatalf("%+v asks again", a)
		}
		ps.asked[key(a.Hold)] = a
	case LeaveGroup:
		_, asked := ps.asked[key(a.Hold)]
		if !asked && !ps.held[a.Hold] {
			t.Fatalf("%+v leaves what it doesn't hold", a)
		}
		delete(ps.asked, key(a.Hold))
		delete(ps.held, a.Hold)
	case StartAttempt:
		want := 0
		if a.Def.Concurrency != nil {
			want++
			if h := a.Holds[len(a.Holds)-1]; h.Step != a.Step || h.Attempt != a.Attempt {
				t.Fatalf("%+v runs with the place %+v", a.Spec, h)
			}
		}
		for _, h := range a.Holds {
			if !ps.held[h] || h.Step != a.Step && !record.Address(a.Step).Under(record.Address(h.Step)) {
				t.Fatalf("%+v is started without its place %+v", a.Spec, h)
			}
		}
		for h := range ps.held {
			if h.Step != a.Step && record.Address(a.Step).Under(record.Address(h.Step)) {
				want++
			}
		}
		if len(a.Holds) != want {
			t.Fatalf("%+v runs with %d places of %d", a.Spec, len(a.Holds), want)
		}
	case End:
		if len(ps.asked)+len(ps.held) > 0 {
			t.Fatalf("at the end %v are asked for, and %v held", ps.asked, ps.held)
		}
	}
}

func key(h Hold) string { return fmt.Sprintf("%s/%d", h.Step, h.Attempt) }

func (ps *places) count(group string) int {
	n := ps.others[group]
	for h := range ps.held {
		if h.Group == group {
			n++
		}
	}
	return n
}

// answers are the answers that a question may have now.
func (ps *places) answers() []record.Event {
	var out []record.Event
	for _, k := range sortedKeys(ps.asked) {
		a := ps.asked[k]
		switch free := ps.count(a.Group) < a.Limit; {
		case free:
			out = append(out, record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt})
		case a.Skip:
			out = append(out, record.Event{Type: record.GroupBusy, Step: a.Step, Attempt: a.Attempt, Text: "others hold it"})
		}
	}
	return out
}

func (ps *places) answered(e record.Event) {
	k := key(Hold{Step: e.Step, Attempt: e.Attempt})
	if a := ps.asked[k]; e.Type == record.GroupEntered {
		ps.held[a.Hold] = true
	}
	delete(ps.asked, k)
}

// TestGroupedRuns plays random runs whose steps are in groups that others are in too: they end, nothing runs without its
// place, no place is held at the end or by what doesn't run, and a driver that takes over anywhere knows what is held.
func TestGroupedRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawGrowing(t)
		limits := drawGroups(t, p)
		limit := rapid.IntRange(0, 3).Draw(t, "limit")
		s, err := New(p, newRun(), limit)
		if err != nil {
			t.Fatal(err)
		}
		ps := &places{limits: limits, asked: map[string]EnterGroup{}, held: map[Hold]bool{}, others: map[string]int{}}
		g := newGrowing(t, s)
		var open Open
		g.sent = func(e record.Event, actions []Action) {
			open.See(&e, actions)
			for _, a := range actions {
				ps.take(t, a)
			}
		}
		g.send(record.Event{Type: record.RunStarted})
		for steps := 0; g.end == nil; steps++ {
			if steps > 5000 {
				t.Fatal("the run goes on and on")
			}
			for _, name := range sortedKeys(limits) { // others come and go
				switch free := limits[name] - ps.count(name); rapid.IntRange(0, 5).Draw(t, "others") {
				case 0:
					ps.others[name] += min(free, 1)
				case 1, 2:
					ps.others[name] = max(ps.others[name]-1, 0)
				}
			}
			answers := ps.answers()
			switch n := rapid.IntRange(0, 80).Draw(t, "what"); {
			case n == 0:
				g.send(record.Event{Type: record.CancelRequested})
			case n == 1: // noise
				g.send(record.Event{Type: record.GroupEntered, Step: "a", Attempt: 99})
				g.send(record.Event{Type: record.GroupBusy, Step: "b", Attempt: 1 + len(g.log)})
			case n%2 == 0 && len(answers) > 0:
				e := rapid.SampledFrom(answers).Draw(t, "answer")
				ps.answered(e)
				g.send(e)
			case !g.happen() && len(answers) == 0 && g.end == nil:
				waits := false
				for name := range limits {
					waits = waits || ps.others[name] > 0
				}
				if !waits || len(ps.asked) == 0 {
					t.Fatalf("the run waits for nothing, and has not ended: %+v", g.s.Steps())
				}
			}
			held, left := open.Holds()
			if len(held) != len(ps.held) {
				t.Fatalf("%v are held, and the log says %v", ps.held, held)
			}
			for _, h := range append(held, left...) {
				if ps.held[h] != slices.Contains(held, h) {
					t.Fatalf("of %+v the log says otherwise", h)
				}
			}
			asked := 0
			for _, a := range open.Actions() {
				if a, ok := a.(EnterGroup); ok {
					asked++
					if ps.asked[key(a.Hold)] != a {
						t.Fatalf("the log says that %+v is asked for", a)
					}
				}
			}
			if asked != len(ps.asked) {
				t.Fatalf("%v are asked for, and the log says %d", ps.asked, asked)
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
			t.Fatal("the same events give other actions")
		}
	})
}

// TestLargeGroup: who waits costs no more for how many wait.
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
			case EnterGroup:
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
