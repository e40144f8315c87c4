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

func in(group string, limit int) func(*program.Step) {
	return func(s *program.Step) { s.Concurrency = &program.Concurrency{Group: group, Limit: limit} }
}

func skipping(s *program.Step) { s.Concurrency.Skip = true }

func calling(name string) func(*program.Step) {
	return func(s *program.Step) { s.Command, s.Call = nil, &program.Call{Pipeline: name} }
}

func with(p *program.Program, called ...program.Called) *program.Program {
	p.Called = called
	return p
}

func times(n int) func(*program.Step) {
	return func(s *program.Step) { s.Repeat = &program.Repeat{Max: n} }
}

func perElement(list string, most int) func(*program.Step) {
	return func(s *program.Step) {
		s.ForEach = &program.ForEach{Type: "list(number)", Value: program.Value{Const: raw(list)}, MaxInstances: 100, MaxParallel: most}
	}
}

func TestGroups(t *testing.T) {
	testScenarios(t, []scenario{
		{
			name: "one asks at a time, in order; the place is left when the attempt has ended",
			p:    pipeline(step("b", in("g", 2)), step("a", in("g", 2)), step("c")),
			play: []string{"start", "a/1 entered", "a/1 ok", "b/1 entered", "b/1 fail 1", "c/1 ok"},
			want: `> start
				enter a/1 g of 2
				start c/1
				> a/1 entered
				start a/1
				enter b/1 g of 2
				> a/1 ok
				leave a/1 g
				a succeeded
				> b/1 entered
				start b/1
				> b/1 fail 1
				leave b/1 g
				b failed Error
				> c/1 ok
				c succeeded
				end failed StepsFailed: b failed`,
		},
		{
			name: "who waits takes no room", limit: 1,
			p:    pipeline(step("a", in("g", 1)), step("b"), step("c")),
			play: []string{"start", "b/1 ok", "a/1 entered", "c/1 ok", "a/1 ok"},
			want: `> start
				enter a/1 g of 1
				start b/1
				> b/1 ok
				b succeeded
				start c/1
				> a/1 entered
				> c/1 ok
				c succeeded
				start a/1
				> a/1 ok
				leave a/1 g
				a succeeded
				end succeeded`,
		},
		{
			name: "who finds no room asks later, others of the group before",
			p:    pipeline(step("a", perElement("[1,2]", 1), in("g", 2)), step("b", in("g", 2))),
			play: []string{"start", "a[0]/1 entered", "b/1 entered", "a[0]/1 ok", "a[1]/1 entered", "b/1 ok", "a[1]/1 ok"},
			want: `> start
				enter a[0]/1 g of 2
				> a[0]/1 entered
				start a[0]/1
				enter b/1 g of 2
				> b/1 entered
				start b/1
				> a[0]/1 ok
				leave a[0]/1 g
				a[0] succeeded
				enter a[1]/1 g of 2
				> a[1]/1 entered
				start a[1]/1
				> b/1 ok
				leave b/1 g
				b succeeded
				> a[1]/1 ok
				leave a[1]/1 g
				a[1] succeeded
				a succeeded
				end succeeded`,
		},
		{
			name: "each attempt enters anew, and that of no attempt that isn't asked for",
			p:    pipeline(step("a", in("g", 1), retry(program.Retry{Attempts: 2, Infrastructure: 1}))),
			play: []string{"start", "a/2 entered", "b/1 entered", "a/1 entered", "a/1 entered", "a/1 infra", "a/2 entered", "a/2 fail 3", "a/3 entered", "a/3 ok"},
			want: `> start
				enter a/1 g of 1
				> a/2 entered
				> b/1 entered
				> a/1 entered
				start a/1
				> a/1 entered
				> a/1 infra
				leave a/1 g
				retried a: attempt 1 failed (StoreUnavailable, not counted as the step's own failure); the next one starts in 0s
				enter a/2 g of 1
				> a/2 entered
				start a/2 user=1
				> a/2 fail 3
				leave a/2 g
				retried a: attempt 2 failed with exit code 3; the next one starts in 0s
				enter a/3 g of 1
				> a/3 entered
				start a/3 user=2
				> a/3 ok
				leave a/3 g
				a succeeded
				end succeeded`,
		},
		{
			name: "busy, and skipped",
			p:    pipeline(step("a", in("g", 1), skipping), step("b", needs("output", "a")), step("c", in("g", 1), skipping, retry(program.Retry{Attempts: 2}))),
			play: []string{"start", "a/1 busy run x holds it", "c/1 entered", "c/1 fail 1", "c/2 busy run y holds it"},
			want: `> start
				enter a/1 g of 1, or skip
				> a/1 busy run x holds it
				a skipped GroupBusy: run x holds it
				b skipped UpstreamSkipped: a was skipped (a was skipped because run x holds it)
				enter c/1 g of 1, or skip
				> c/1 entered
				start c/1
				> c/1 fail 1
				leave c/1 g
				retried c: attempt 1 failed with exit code 1; the next one starts in 0s
				enter c/2 g of 1, or skip
				> c/2 busy run y holds it
				c failed Error: not tried again: run y holds it
				end failed StepsFailed: c failed`,
		},
		{
			name: "what is in the cache does not enter", limit: 1,
			p:    pipeline(step("a", in("g", 1), cached, output("x", "number")), step("b", in("g", 1), cached, output("x", "number"))),
			play: []string{"start", "hit a x=1", "miss b", "b/1 entered", "b/1 ok x=2"},
			want: `> start
				check a/1
				> hit a x=1
				a succeeded cached from r0/2
				check b/1
				> miss b
				enter b/1 g of 1
				> b/1 entered
				start b/1
				> b/1 ok x=2
				leave b/1 g
				b succeeded
				end succeeded`,
		},
		{
			name: "a call holds its place to its end, each round anew",
			p: with(pipeline(step("a", calling("c"), in("g", 1), times(2))),
				program.Called{Name: "c", OnFailure: "continue", Steps: []program.Step{step("x"), step("y", needs("output", "x"), in("h", 3))}}),
			play: []string{"start", "a#1/1 entered", "a#1.x/1 ok", "a#1.y/1 entered", "a#1.y/1 ok", "a#2/1 entered", "cancel", "a#2.x/1 cancelled"},
			want: `> start
				enter a#1/1 g of 1
				> a#1/1 entered
				start a#1.x/1
				> a#1.x/1 ok
				a#1.x succeeded
				enter a#1.y/1 h of 3
				> a#1.y/1 entered
				start a#1.y/1
				> a#1.y/1 ok
				leave a#1.y/1 h
				a#1.y succeeded
				leave a#1/1 g
				a#1 succeeded
				enter a#2/1 g of 1
				> a#2/1 entered
				start a#2.x/1
				> cancel
				stop a#2.x/1: the run was cancelled
				a#2.y skipped Stopped: the run was cancelled
				> a#2.x/1 cancelled
				a#2.x cancelled Cancelled: the run was cancelled
				leave a#2/1 g
				a#2 cancelled Cancelled: the run was cancelled
				a cancelled Cancelled: in round 2: the run was cancelled
				end cancelled Cancelled`,
		},
		{
			name: "a cancel ends the waiting; what is answered after it changes nothing",
			p:    pipeline(step("a", in("g", 1)), step("b", in("g", 1)), step("c")),
			play: []string{"start", "cancel", "a/1 entered", "b/1 entered", "c/1 cancelled"},
			want: `> start
				enter a/1 g of 1
				start c/1
				> cancel
				leave a/1 g
				a skipped Stopped: the run was cancelled
				b skipped Stopped: the run was cancelled
				stop c/1: the run was cancelled
				> a/1 entered
				> b/1 entered
				> c/1 cancelled
				c cancelled Cancelled: the run was cancelled
				end cancelled Cancelled`,
		},
		{
			name: "the timeout of the pipeline ends the waiting",
			p: func() *program.Program {
				p := pipeline(step("a", in("g", 1)))
				p.Timeout = program.Duration(time.Second)
				return p
			}(),
			play: []string{"start", "+1s", "timer timeout"},
			want: `> start
				timer timeout 1s
				enter a/1 g of 1
				> timer timeout
				leave a/1 g
				a skipped Stopped: the run took longer than its timeout of 1s
				end timed_out RunTimeout: the run took longer than its timeout of 1s`,
		},
		{
			name: "a place is left where there is nothing to start", run: func(r *record.Run) {},
			p:    pipeline(step("a", in("g", 1), input("n", "number", ex("[1][2]", "number"))), step("b", in("g", 1))),
			play: []string{"start", "a/1 entered"},
			want: `> start
				enter a/1 g of 1
				> a/1 entered
				leave a/1 g
				a failed ExpressionFailed: input "n": [1][2]: The given key does not identify an element in this collection value.
				enter b/1 g of 1`,
		},
	})
}

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
			if !ps.held[h] || h.Step != a.Step && !record.Under(a.Step, h.Step) {
				t.Fatalf("%+v is started without its place %+v", a.Spec, h)
			}
		}
		for h := range ps.held {
			if h.Step != a.Step && record.Under(a.Step, h.Step) {
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
