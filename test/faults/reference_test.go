package faults

import (
	"testing"

	"pipec.dev/pipec/test/faults/plan"
)

// TestReferences checks that every reference run ends as its archive states when nothing fails.
func TestReferences(t *testing.T) {
	s := newSimulator(t)
	for _, name := range s.names {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				w, faults := s.run(t, plan.Cell{Run: name, Seed: seed})
				for _, f := range faults {
					t.Errorf("seed %d: %s", seed, f)
				}
				if t.Failed() {
					for _, e := range w.History.Events() {
						if testing.Verbose() {
							t.Log(e)
						}
					}
				}
				t.Logf("%d calls", len(w.Calls))
			}
		})
	}
}
