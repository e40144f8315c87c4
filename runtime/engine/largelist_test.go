package engine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestLargeListIsLinear: instances that each read one element of the same list do not each look at all of it.
func TestLargeListIsLinear(t *testing.T) {
	memory := func(n int) float64 {
		fan := step("fan", needs(program.NeedOutput, "list"), output("x", "string"), input("a", "string", ex(`"${step.list.l[each.key]}-${step.list.l[0]}-${each.value}"`, "string", "each.key", "each.value", "step.list.l")))
		fan.ForEach = &program.ForEach{Type: "list(string)", Value: ref("step.list.l"), MaxInstances: n}
		var list strings.Builder
		for i := range n {
			fmt.Fprintf(&list, `,"part-%d"`, i)
		}
		outputs := []record.Datum{{Name: "l", Type: "list(string)", Value: raw("[" + list.String()[1:] + "]")}, {Name: "x", Type: "string", Value: raw(`"x"`)}}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := New(pipeline(step("list", output("l", "list(string)"), output("x", "string")), fan), newRun(), 200)
		if err != nil {
			t.Fatal(err)
		}
		starts, end := playAll(s, outputs)
		if starts != n+1 || end == nil || end.Status != record.Succeeded {
			t.Fatalf("%d starts, end %v", starts, end)
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	if ratio := memory(2000) / memory(200); ratio > 13 {
		t.Errorf("ten times the instances take %.1f times the memory", ratio)
	}
}
