package engine

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// layered is a program of n steps in layers of 100, each with two inputs from the layer above.
func layered(n int) *program.Program {
	const width = 100
	name := func(i int) string { return fmt.Sprintf("s%06d", i) }
	p := pipeline()
	for i := range n {
		s := step(name(i), output("x", "number"))
		for k, in := range []string{"a", "b"} {
			if i < width {
				input(in, "number", program.Value{Const: raw(strconv.Itoa(i))})(&s)
				continue
			}
			up := name(i/width*width - width + (i*7+k*13)%width)
			input(in, "number", ref("step."+up+".x"))(&s)
			needs(program.NeedOutput, up)(&s)
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// drive answers every start with a success, in order, until the run has ended.
func drive(s *State) (starts int, end *record.End) {
	code := 0
	now := epoch
	var queue []record.Event
	_, actions := Next(s, record.Event{Type: record.RunStarted, At: now})
	for {
		for _, a := range actions {
			switch a := a.(type) {
			case StartAttempt:
				starts++
				queue = append(queue, record.Event{Type: record.AttemptEnded, Step: a.Step, Attempt: a.Attempt, Result: &record.Result{
					Status: record.Succeeded, ExitCode: &code, Outputs: []record.Datum{{Name: "x", Type: "number", Value: raw("1.5")}},
				}})
			case End:
				return starts, &a.End
			}
		}
		if len(queue) == 0 {
			return starts, nil
		}
		e := queue[0]
		queue = queue[1:]
		now = now.Add(time.Millisecond)
		e.At = now
		_, actions = Next(s, e)
	}
}

// BenchmarkEngine is the engine's own cost of a run of no-ops, New included.
func BenchmarkEngine(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p, run := layered(n), newRun()
			b.ReportAllocs()
			for b.Loop() {
				s, err := New(p, run, 64)
				if err != nil {
					b.Fatal(err)
				}
				if starts, end := drive(s); starts != n || end == nil || end.Status != record.Succeeded {
					b.Fatalf("%d starts, end %+v", starts, end)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/step")
		})
	}
}

// fanned is a program of n instances, as many that each wait for theirs, as many calls, and one step that collects all.
func fanned(n int) *program.Program {
	each := func(s *program.Step) {
		s.ForEach = &program.ForEach{Type: "list(number)", Value: ref("step.list.l"), MaxInstances: n}
		needs(program.NeedOutput, "list")(s)
	}
	pairs := step("pairs", each, output("x", "number"), input("a", "number", ref("step.fan[each.key].x")), input("k", "number", ref("each.value")))
	pairs.Needs = append(pairs.Needs, program.Need{Step: "fan", Kind: program.NeedOutput, Instance: "each.key"})
	calls := step("calls", each, output("x", "number"), input("n", "number", ref("each.value")))
	calls.Call, calls.Command = &program.Call{Pipeline: "p"}, nil
	p := pipeline(step("list", output("l", "list(number)"), output("x", "number")), step("fan", each, output("x", "number")), pairs, calls,
		step("all", needs("output", "fan", "pairs", "calls"), output("x", "number"), input("a", "list(number)", ref("step.fan[*].x")),
			input("b", "number", ex("max(step.pairs[*].x...)", "number", "step.pairs[*].x")), input("c", "list(number)", ref("step.calls[*].x"))))
	p.Called = []program.Called{{Name: "p", Params: []program.Param{{Name: "n", Type: "number"}},
		Steps:   []program.Step{step("s", output("x", "number"), input("n", "number", ref("param.n")))},
		Outputs: []program.Result{{Name: "x", Type: "number", Value: ref("step.s.x")}}}}
	return p
}

// playFanned answers each start with a success; list is that of step "list".
func playFanned(s *State, n int) (starts int, end *record.End) {
	list := make([]byte, 0, 8*n)
	for i := range n {
		list = strconv.AppendInt(append(list, ','), int64(i), 10)
	}
	outputs := []record.Datum{{Name: "l", Type: "list(number)", Value: append(append([]byte{'['}, list[1:]...), ']')}, {Name: "x", Type: "number", Value: raw("1.5")}}
	return playAll(s, outputs)
}

// playAll answers each start with a success with the same outputs.
func playAll(s *State, outputs []record.Datum) (starts int, end *record.End) {
	queue := []record.Event{{Type: record.RunStarted, At: epoch}}
	for len(queue) > 0 {
		_, actions := Next(s, queue[0])
		queue = queue[1:]
		for _, a := range actions {
			switch a := a.(type) {
			case StartAttempt:
				starts++
				queue = append(queue, record.Event{Type: record.AttemptEnded, At: epoch, Step: a.Step, Attempt: a.Attempt,
					Result: &record.Result{Status: record.Succeeded, Outputs: outputs}})
			case End:
				end = &a.End
			}
		}
	}
	return starts, end
}

func TestFanOutIsLinear(t *testing.T) {
	// Memory that was asked for, and not time, which machines share: what is done for each of all instances shows in it.
	memory := func(n int) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := New(fanned(n), newRun(), 200)
		if err != nil {
			t.Fatal(err)
		}
		starts, end := playFanned(s, n)
		if starts != 3*n+2 || end == nil || end.Status != record.Succeeded || len(end.Steps) != 4*n+5 {
			t.Fatalf("%d starts, end %v", starts, end)
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	if ratio := memory(5000) / memory(500); ratio > 12 {
		t.Errorf("ten times the instances take %.1f times the memory", ratio)
	}
}

func BenchmarkFanOut(b *testing.B) {
	for b.Loop() {
		s, err := New(fanned(10000), newRun(), 200)
		if err != nil {
			b.Fatal(err)
		}
		if _, end := playFanned(s, 10000); end == nil {
			b.Fatal("the run has not ended")
		}
	}
}
