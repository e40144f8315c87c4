package engine

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func cached(s *program.Step) { s.Cache = &program.Cache{} }

func TestCache(t *testing.T) {
	p := func() *program.Program {
		return pipeline(step("a", cached, output("x", "number")), step("b", cached, needs("output", "a"), output("y", "number"), input("x", "number", ref("step.a.x"))))
	}
	testScenarios(t, []scenario{
		{
			name: "hit, then miss", p: p(), play: []string{"start", "hit a x=4", "miss b", "b/1 ok y=1"},
			want: `> start
				check a/1
				> hit a x=4
				a succeeded cached from r0/2
				check b/1
				> miss b
				start b/1 x=4
				> b/1 ok y=1
				b succeeded
				end succeeded`,
		},
		{
			name: "a hit that lacks an output is a miss", p: p(), play: []string{"start", "hit a z=4"},
			want: "> start\ncheck a/1\n> hit a z=4\nstart a/1",
		},
		{
			name: "it is asked once", p: pipeline(step("a", cached, retry(program.Retry{Attempts: 2}))), play: []string{"start", "miss a", "a/1 fail 1"},
			want: "> start\ncheck a/1\n> miss a\nstart a/1\n> a/1 fail 1\nretried a: attempt 1 failed with exit code 1; the next one starts in 0s\nstart a/2",
		},
		{
			name: "looking takes room", limit: 1, p: pipeline(step("a", cached), step("b")), play: []string{"start", "hit a none"},
			want: "> start\ncheck a/1\n> hit a none\na succeeded cached from r0/2\nstart b/1",
		},
		{
			name: "cancelled while looking", p: p(), play: []string{"start", "cancel", "hit a x=4"},
			want: `> start
				check a/1
				> cancel
				a skipped Stopped: the run was cancelled
				b skipped Stopped: the run was cancelled
				end cancelled Cancelled
				> hit a x=4`,
		},
	})
}

func TestKept(t *testing.T) {
	p := func() *program.Program {
		return pipeline(step("a", output("x", "number")), step("b", needs("output", "a"), input("x", "number", ref("step.a.x"))))
	}
	kept := func(names ...string) func(*record.Run) { return func(r *record.Run) { r.Kept = names } }
	testScenarios(t, []scenario{
		{
			name: "before the start", p: p(), play: []string{"keep a x=5", "start"},
			want: "> keep a x=5\na succeeded kept from r0/2\n> start\nstart b/1 x=5",
		},
		{
			name: "after the start, which waits for those that the run names", p: p(), run: kept("a"), play: []string{"start", "keep a x=5", "keep a x=6", "b/1 ok"},
			want: "> start\n> keep a x=5\na succeeded kept from r0/2\nstart b/1 x=5\n> keep a x=6\n> b/1 ok\nb succeeded\nend succeeded",
		},
		{
			name: "what can't be kept is run", p: p(), run: kept("a"), play: []string{"start", "keep a", "keep a"},
			want: "> start\n> keep a\nstart a/1\n> keep a",
		},
		{
			name: "what lacks an output is run", p: p(), run: kept("a"), play: []string{"start", "keep a z=1"},
			want: "> start\n> keep a z=1\nstart a/1",
		},
		{
			name: "a step that runs is not kept", p: p(), play: []string{"start", "keep a x=5"},
			want: "> start\nstart a/1\n> keep a x=5",
		},
		{
			name: "all is kept", p: p(), run: kept("a", "b"), play: []string{"start", "keep b none", "keep a x=1"},
			want: "> start\n> keep b none\nb succeeded kept from r0/2\n> keep a x=1\na succeeded kept from r0/2\nend succeeded",
		},
	})
}

func TestStepEnds(t *testing.T) {
	p := finally(pipeline(step("b", retry(program.Retry{Attempts: 2})), step("a", output("x", "number"))), step("A"))
	sc := newScript(t, p, newRun(), 0).play("start", "+1s", "a/1 began", "+1s", "b/1 fail 4", "+1s", "a/1 ok x=1", "b/2 ok", "A/1 ok")
	if sc.end == nil {
		t.Fatal(sc.out.String())
	}
	steps := sc.end.Steps
	if len(steps) != 3 || steps[0].Name != "a" || steps[1].Name != "b" || steps[2].Name != "A" {
		t.Fatalf("steps are %+v", steps)
	}
	a, b := steps[0], steps[1]
	if a.StartedAt.Sub(epoch).Seconds() != 1 || a.EndedAt.Sub(epoch).Seconds() != 3 || len(a.Outputs) != 1 || a.Attempts != 1 || a.Run != "" {
		t.Errorf("a: %+v", a)
	}
	if b.Attempts != 2 || b.Attempt != 2 || b.ExitCode == nil || *b.ExitCode != 0 || !b.StartedAt.Equal(epoch) {
		t.Errorf("b: %+v", b)
	}
	if !sc.s.Ended() {
		t.Error("the state has not ended")
	}
}

func TestNewRefuses(t *testing.T) {
	bad := onFailure("explode", pipeline())
	param := pipeline()
	param.Params = []program.Param{{Name: "p", Type: "number"}}
	for _, tc := range []struct {
		name string
		p    *program.Program
		run  *record.Run
		want string
	}{
		{"nothing", nil, nil, "engine: a program and a run are needed"},
		{"on_failure", bad, newRun(), `engine: on_failure is "explode", which is none of continue, stop and abort`},
		{"two of a name", pipeline(step("a"), step("a")), newRun(), `engine: the program has two steps with the name "a", or one without`},
		{"missing need", pipeline(step("a", needs("output", "b"))), newRun(), `engine: step "a" needs "b", which does not exist`},
		{"unknown need", pipeline(step("a"), step("b", needs("love", "a"))), newRun(), `engine: step "b" needs "a" in a way that is not known: "love"`},
		{"need of finally", finally(pipeline(step("a", needs("order", "f"))), step("f")), newRun(), `engine: step "a" needs "f", which is a step of finally`},
		{"own cycle", pipeline(step("a", needs("order", "a"))), newRun(), "engine: steps need each other in a cycle: a -> a"},
		{"cycle", pipeline(step("a", needs("order", "d")), step("b", needs("order", "c")), step("c", needs("order", "d")), step("d", needs("order", "b"))), newRun(),
			"engine: steps need each other in a cycle: b -> c -> d -> b"},
		{"type", pipeline(step("a", output("x", "nmber"))), newRun(), `engine: output "x": type "nmber": "nmber" is not a type`},
		{"no param", param, newRun(), `engine: the run has no value for param "p"`},
		{"only", pipeline(step("a")), &record.Run{Only: []string{"b"}}, `engine: there is no step "b" to run`},
		{"kept", pipeline(step("a")), &record.Run{Kept: []string{"b"}}, `engine: there is no step "b" whose result could be kept`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(tc.p, tc.run, 0)
			if err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestLargeRun(t *testing.T) {
	s, err := New(layered(1000), newRun(), 7)
	if err != nil {
		t.Fatal(err)
	}
	starts, end := drive(s)
	if starts != 1000 || end == nil || end.Status != record.Succeeded || len(end.Steps) != 1000 {
		t.Errorf("%d starts, end %+v", starts, end)
	}
}

// A chain is as long as the program: what follows from one event must not be found by recursion.
func TestLongChainIsSkipped(t *testing.T) {
	p := pipeline(step("s000000"))
	for i := 1; i < 20000; i++ {
		p.Steps = append(p.Steps, step(fmt.Sprintf("s%06d", i), needs("output", fmt.Sprintf("s%06d", i-1))))
	}
	sc := newScript(t, p, newRun(), 0).play("start", "s000000/1 fail 1")
	if sc.end == nil || len(sc.end.Steps) != 20000 {
		t.Fatal("the run has not ended")
	}
	if last := sc.end.Steps[19999]; last.Status != record.Skipped || last.Message != "s019998 was skipped (s000000 failed)" {
		t.Errorf("got %+v", last)
	}
}

func TestEvaluatorPanicIsAFault(t *testing.T) {
	v := ex("attempt + 1", "number", "attempt")
	r := reader{s: &State{}, value: &v, own: map[string]cty.Value{"attempt": cty.NilVal}}
	if _, err := r.eval(); err == nil {
		t.Error("no error")
	}
}
