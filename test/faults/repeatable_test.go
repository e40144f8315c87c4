package faults

import (
	"slices"
	"testing"
)

// TestRepeatable simulates cells twice, in another order and in other processes. Their verdicts are the same, and almost all
// of their histories: where several goroutines of the coordinator are ready at one simulated instant, the Go scheduler may
// choose either. With the race detector it chooses at random, so only the verdicts are compared.
func TestRepeatable(t *testing.T) {
	s := newSimulator(t)
	part := 100
	if testing.Short() || raced {
		part = 20
	}
	cells := sample(s.cells(t), part)
	once := simulateAll(t, cells)
	slices.Reverse(cells)
	again := simulateAll(t, cells)
	slices.Reverse(again)
	differ := 0
	for i := range once {
		if !slices.Equal(once[i].Faults, again[i].Faults) || once[i].Missed != again[i].Missed {
			t.Errorf("%s has two verdicts: %q and %q", once[i].Cell, once[i].Faults, again[i].Faults)
		}
		if once[i].Hash != again[i].Hash {
			t.Logf("%s has two histories", once[i].Cell)
			differ++
		}
	}
	if !raced && differ > len(once)/20 {
		t.Errorf("%d of %d cells have two histories", differ, len(once))
	}
}
