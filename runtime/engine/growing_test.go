package engine

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// drawGrowing makes a program of steps with instances, rounds and calls, two pipelines deep.
func drawGrowing(t *rapid.T) *program.Program {
	p := pipeline()
	p.OnFailure = rapid.SampledFrom([]string{"continue", "stop", "abort"}).Draw(t, "on_failure")
	for _, name := range []string{"inner", "middle"} {
		c := program.Called{Name: name, OnFailure: rapid.SampledFrom([]string{"continue", "stop", "abort"}).Draw(t, "inner on_failure"),
			MaxParallel: rapid.IntRange(0, 2).Draw(t, "inner parallel"), Params: []program.Param{{Name: "n", Type: "number", Default: raw("1")}}}
		if rapid.IntRange(0, 4).Draw(t, "inner timeout") == 0 {
			c.Timeout = program.Duration(time.Minute)
		}
		names := []string{"a", "b", "c"}
		n := rapid.IntRange(1, 3).Draw(t, "inner steps")
		for i, s := range names[:n] {
			to := ""
			if name == "middle" {
				to = "inner"
			}
			c.Steps = append(c.Steps, drawPart(t, s, names[:i], to, ref("param.n")))
		}
		if rapid.IntRange(0, 2).Draw(t, "inner finally") == 0 {
			c.Finally = []program.Step{step("z", output("x", "number"))}
		}
		if s := &c.Steps[n-1]; s.ForEach == nil {
			c.Outputs = []program.Result{{Name: "x", Type: "number", Value: ref("step." + names[n-1] + ".x")}}
		} else {
			c.Outputs = []program.Result{{Name: "x", Type: "number", Value: ex("length(step."+names[n-1]+"[*].x)", "number", "step."+names[n-1]+"[*].x")}}
		}
		p.Called = append(p.Called, c)
	}
	names := []string{"e", "d", "c", "b", "a"}
	n := rapid.IntRange(1, len(names)).Draw(t, "steps")
	for i, name := range names[:n] {
		to := rapid.SampledFrom([]string{"inner", "middle"}).Draw(t, "to")
		p.Steps = append(p.Steps, drawPart(t, name, names[:i], to, program.Value{Const: raw("2")}))
	}
	if rapid.Bool().Draw(t, "finally") {
		p.Finally = []program.Step{drawPart(t, "z", nil, "inner", program.Value{Const: raw("3")})}
	}
	return p
}

// drawPart makes a step that may have instances and rounds, and may call a pipeline.
func drawPart(t *rapid.T, name string, earlier []string, to string, n program.Value) program.Step {
	s := step(name, output("x", "number"), input("n", "number", n), retry(program.Retry{Attempts: rapid.IntRange(1, 2).Draw(t, "attempts"), Infrastructure: 1}))
	s.ContinueOnFailure = rapid.IntRange(0, 3).Draw(t, "continue") == 0
	if rapid.IntRange(0, 4).Draw(t, "cache") == 0 {
		cached(&s)
	}
	if rapid.IntRange(0, 2).Draw(t, "each") == 0 {
		s.ForEach = &program.ForEach{MaxParallel: rapid.IntRange(0, 2).Draw(t, "each parallel"), MaxInstances: 3}
		s.ForEach.Type = "list(number)"
		s.ForEach.Value = program.Value{Const: raw(rapid.SampledFrom([]string{"[]", "[1]", "[1,2]", "[1,2,3]", "[1,2,3,4]"}).Draw(t, "elements"))}
		if rapid.IntRange(0, 3).Draw(t, "keyed") == 0 {
			s.ForEach.Type, s.ForEach.Value = "map(number)", program.Value{Const: raw(`{"k":1,"l/m":2}`)}
		}
		if rapid.IntRange(0, 3).Draw(t, "when each") == 0 {
			when("each.value != 2", "bool", "each.value")(&s)
		}
	} else if rapid.IntRange(0, 5).Draw(t, "when") == 0 {
		when("false", "bool")(&s)
	}
	if rapid.IntRange(0, 3).Draw(t, "repeat") == 0 {
		until := ex("output.x > 2", "bool", "output.x")
		s.Repeat = &program.Repeat{Max: rapid.IntRange(1, 3).Draw(t, "max"), Until: &until, Carry: []program.Carry{{Name: "n", Value: ref("output.x")}}}
	}
	if to != "" && rapid.IntRange(0, 2).Draw(t, "call") == 0 {
		s.Call, s.Command, s.Cache, s.Retry = &program.Call{Pipeline: to}, nil, nil, program.Retry{}
		if rapid.IntRange(0, 2).Draw(t, "call retried") == 0 {
			s.Retry = program.Retry{Attempts: 2, Delay: program.Duration(rapid.IntRange(0, 1).Draw(t, "call delay")) * second}
		}
		if rapid.IntRange(0, 4).Draw(t, "call timeout") == 0 {
			s.Timeout = program.Duration(30 * time.Second)
		}
	}
	kinds := []program.NeedKind{program.NeedOutput, program.NeedOrder, program.NeedSoft, program.NeedStatus}
	for _, e := range earlier {
		if rapid.IntRange(0, 1).Draw(t, "need") == 0 {
			continue
		}
		need := program.Need{Step: e, Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
		switch rapid.IntRange(0, 3).Draw(t, "instance") {
		case 0:
			need.Instance = "1"
		case 1:
			if s.ForEach != nil {
				need.Instance = "each.key"
			}
		}
		s.Needs = append(s.Needs, need)
	}
	if s.Call == nil {
		drawApproval(t, &s)
	}
	return s
}

// TestGrowingRuns plays random outcomes of programs that grow, and holds what every run has to hold: it ends, no attempt
// starts twice or beyond a limit, and the log gives the same once more.
func TestGrowingRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawGrowing(t)
		limit := rapid.IntRange(0, 3).Draw(t, "limit")
		s, err := New(p, newRun(), limit)
		if err != nil {
			t.Fatal(err)
		}
		g := newGrowing(t, s)
		g.send(record.Event{Type: record.RunStarted})
		cancels := 0
		for steps := 0; g.end == nil; steps++ {
			if steps > 5000 {
				t.Fatal("the run goes on and on")
			}
			if rapid.IntRange(0, 60).Draw(t, "cancel") == 0 {
				cancels++
				g.send(record.Event{Type: record.CancelRequested})
				continue
			}
			if !g.happen() && g.end == nil {
				t.Fatalf("the run waits for nothing, and has not ended: %+v", g.s.Steps())
			}
			if limit > 0 && len(g.running)+len(g.checks) > limit {
				t.Fatalf("%d attempts at once, of %d", len(g.running), limit)
			}
			g.bounds(p)
		}
		if len(g.running) > 0 {
			t.Fatalf("attempts run after the end: %v", g.running)
		}
		for _, e := range g.end.Steps {
			if _, ok := g.ends[e.Name]; !ok { // a call was not made again after all
				g.ends[e.Name] = g.earlier[e.Name]
			}
			if !reflect.DeepEqual(e, g.ends[e.Name]) {
				t.Fatalf("%+v was told as %+v", e, g.ends[e.Name])
			}
			for other, end := range g.ends {
				if record.Address(other).Under(record.Address(e.Name)) && other != e.Name && end.EndedAt.After(e.EndedAt) {
					t.Fatalf("%s ended before %s, which is part of it", e.Name, other)
				}
			}
		}
		if len(g.end.Steps) != len(g.ends) {
			t.Fatalf("%d steps at the end, and %d have ended", len(g.end.Steps), len(g.ends))
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

type growing struct {
	t       *rapid.T
	s       *State
	now     time.Time
	running map[string]int
	checks  map[string]bool
	asks    map[string]bool
	timers  map[string]bool
	tries   map[string]int
	ends    map[string]record.StepEnd
	earlier map[string]record.StepEnd // in earlier attempts of calls
	end     *record.End
	log     []record.Event
	actions []Action
	sent    func(record.Event, []Action) // is called with each event and its actions; may be nil
}

func newGrowing(t *rapid.T, s *State) *growing {
	checkMoves(t, s)
	return &growing{
		t: t, s: s, now: epoch, running: map[string]int{}, checks: map[string]bool{}, asks: map[string]bool{}, timers: map[string]bool{}, ends: map[string]record.StepEnd{}, earlier: map[string]record.StepEnd{}, tries: map[string]int{},
	}
}

func (g *growing) send(e record.Event) {
	e.At = g.now
	g.log = append(g.log, e)
	_, actions := Next(g.s, e)
	g.actions = append(g.actions, actions...)
	for _, a := range actions {
		if g.end != nil {
			g.t.Fatalf("after the end: %#v", a)
		}
		switch a := a.(type) {
		case CheckCache:
			g.checks[a.Step] = true
		case StartAttempt:
			if _, runs := g.running[a.Step]; runs || a.Attempt != g.tries[a.Step]+1 || a.Def == nil {
				g.t.Fatalf("attempt %+v after %d", a.Spec, g.tries[a.Step])
			}
			if _, ended := g.ends[a.Step]; ended {
				g.t.Fatalf("%s starts after its end", a.Step)
			}
			g.tries[a.Step]++
			g.running[a.Step] = a.Attempt
		case RequestApproval:
			g.asks[a.Step] = true
		case SetTimer:
			g.timers[a.Name] = true
		case Notify:
			if a.Type == record.StepRetried { // a call is made again with all its parts
				for name := range g.ends {
					if record.Address(name).Under(record.Address(a.Step)) {
						g.earlier[name] = g.ends[name]
						delete(g.ends, name)
					}
				}
			}
			if a.Type == record.StepEnded {
				if _, twice := g.ends[a.Step]; twice {
					g.t.Fatalf("%s ends twice", a.Step)
				}
				g.ends[a.Step] = *a.End
				delete(g.checks, a.Step)
			}
		case End:
			g.end = &a.End
		}
	}
	if g.sent != nil {
		g.sent(e, actions)
	}
}

// bounds checks max_parallel of for_each.
func (g *growing) bounds(p *program.Program) {
	for i := range p.Steps {
		st := &p.Steps[i]
		if st.ForEach == nil || st.ForEach.MaxParallel == 0 {
			continue
		}
		at := map[string]bool{}
		for name := range g.running {
			if rest, ok := strings.CutPrefix(name, st.Name+"["); ok {
				at[rest[:strings.IndexByte(rest, ']')]] = true
			}
		}
		if len(at) > st.ForEach.MaxParallel {
			g.t.Fatalf("%d instances of %s at once, of %d", len(at), st.Name, st.ForEach.MaxParallel)
		}
	}
}

func (g *growing) happen() bool {
	var can []record.Event
	for _, name := range sortedKeys(g.running) {
		can = append(can, record.Event{Type: record.AttemptEnded, Step: name, Attempt: g.running[name]})
	}
	for _, name := range sortedKeys(g.checks) {
		can = append(can, record.Event{Type: record.CacheChecked, Step: name})
	}
	for _, name := range sortedKeys(g.asks) {
		if _, ended := g.ends[name]; !ended {
			can = append(can, record.Event{Type: record.ApprovalGiven, Step: name})
		}
	}
	for _, name := range sortedKeys(g.timers) {
		can = append(can, record.Event{Type: record.TimerFired, Timer: name})
	}
	if len(can) == 0 {
		return false
	}
	e := rapid.SampledFrom(can).Draw(g.t, "event")
	g.now = g.now.Add(time.Second)
	switch e.Type {
	case record.AttemptEnded:
		delete(g.running, e.Step)
		status := rapid.SampledFrom([]record.Status{record.Succeeded, record.Succeeded, record.Succeeded, record.Failed, record.TimedOut}).Draw(g.t, "status")
		e.Result = &record.Result{Status: status, Class: record.ClassUser}
		if status == record.Succeeded {
			e.Result.Outputs = []record.Datum{{Name: "x", Type: "number", Value: raw(fmt.Sprint(rapid.IntRange(0, 3).Draw(g.t, "x")))}}
		}
	case record.CacheChecked:
		delete(g.checks, e.Step)
	case record.TimerFired:
		delete(g.timers, e.Timer)
	case record.ApprovalGiven:
		e.Answer = drawAnswer(g.t)
	}
	g.send(e)
	return true
}
