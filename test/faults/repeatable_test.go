package faults

import (
	"slices"
	"testing"
)

// TestRepeatable simulates cells twice, in another order and in other processes: their histories are the same.
func TestRepeatable(t *testing.T) {
	s := newSimulator(t)
	part := 400
	if testing.Short() || raced {
		part = 40
	}
	cells := sample(s.cells(t), part)
	once := simulateAll(t, cells)
	slices.Reverse(cells)
	again := simulateAll(t, cells)
	slices.Reverse(again)
	for i := range once {
		if once[i].Hash != again[i].Hash {
			t.Errorf("%s has two histories", once[i].Cell)
		}
	}
}
