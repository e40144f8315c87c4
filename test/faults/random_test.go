package faults

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"pipec.dev/pipec/test/faults/plan"
)

var (
	lasting = flag.Duration("for", 0, "simulate cells that are chosen at random for so long; 0: none")
	from    = flag.Uint64("from", 0, "the seed of the choice; 0: by the time")
)

// batch is how many cells are chosen before the time is looked at.
const batch = 2000

// TestRandom simulates cells with one to four faults and any order of events, other ones each time. It prints the seed of the
// choice. It does nothing without -for.
func TestRandom(t *testing.T) {
	if os.Getenv(workerEnv) != "" || *lasting == 0 {
		return
	}
	choice := *from
	if choice == 0 {
		choice = uint64(time.Now().UnixNano())
	}
	t.Logf("-from %d", choice)
	s := newSimulator(t)
	_, single := s.singles(t)
	r := rand.New(rand.NewPCG(choice, 0))
	begun, all := time.Now(), 0
	for time.Since(begun) < *lasting && !t.Failed() {
		cells := make([]plan.Cell, 0, batch)
		for len(cells) < batch {
			if c, ok := s.chance(r, single, 1+r.IntN(4), 1<<32); ok {
				cells = append(cells, c)
			}
		}
		at := time.Now()
		report(t, cells, simulateAll(t, cells), time.Since(at))
		all += len(cells)
	}
	t.Logf("%d cells in %s", all, time.Since(begun).Round(time.Second))
}
