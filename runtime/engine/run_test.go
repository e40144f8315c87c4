package engine

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

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
		{"nothing", nil, nil, "engine: a program and a run are required"},
		{"on_failure", bad, newRun(), `engine: on_failure must be continue, stop or abort, found "explode"`},
		{"two of a name", pipeline(step("a"), step("a")), newRun(), `engine: the program has two steps with the name "a", or a step without a name`},
		{"missing need", pipeline(step("a", needs("output", "b"))), newRun(), `engine: step "a" needs "b", which does not exist`},
		{"unknown need", pipeline(step("a"), step("b", needs("love", "a"))), newRun(), `engine: step "b" needs "a" in an unknown way: "love"`},
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
	r := reader{ev: &evaluator{}, value: &v, own: map[string]*source{"attempt": known(cty.NilVal)}}
	if _, err := r.eval(); err == nil {
		t.Error("no error")
	}
}
