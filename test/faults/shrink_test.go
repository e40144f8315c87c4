package faults

import (
	"slices"
	"testing"

	"pipec.dev/pipec/test/faults/plan"
)

// shrink returns the smallest cell that is still red: with fewer faults, and in the order of seed 0.
func shrink(t *testing.T, c plan.Cell) (plan.Cell, []string) {
	t.Helper()
	w, err := startWorker()
	if err != nil {
		t.Fatal(err)
	}
	red := func(c plan.Cell) []string {
		o, err := w.run(c)
		if err != nil {
			if w, err = startWorker(); err != nil {
				t.Fatal(err)
			}
			return []string{"dies"}
		}
		return o.Faults
	}
	defer func() { w.stop() }()
	why := red(c)
	for smaller := true; smaller; {
		smaller = false
		for _, try := range candidates(c) {
			if faults := red(try); len(faults) > 0 {
				c, why, smaller = try, faults, true
				break
			}
		}
	}
	return c, why
}

// candidates are the cells that are one step smaller.
func candidates(c plan.Cell) []plan.Cell {
	var out []plan.Cell
	for i := range c.Faults {
		out = append(out, plan.Cell{Run: c.Run, Seed: c.Seed, Faults: slices.Delete(slices.Clone(c.Faults), i, i+1)})
	}
	for n := range min(c.Seed, 2) {
		out = append(out, plan.Cell{Run: c.Run, Seed: n, Faults: c.Faults})
	}
	return out
}
