package engine

import (
	"fmt"
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
