package faults

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/test/faults/plan"
)

var (
	first    = flag.Bool("first", false, "end at the first red cell that is not listed")
	update   = flag.Bool("update", false, "write the list of red cells, of all cells")
	all      = flag.Bool("all", false, "simulate all cells, instead of a part of them")
	grep     = flag.String("cells", "", "only simulate cells whose text contains this")
	outcomes = flag.String("outcomes", "", "write the outcome of each cell to this file, as JSON")
	one      = flag.String("cell", "", "simulate this one cell, and print its history")
)

// TestFaults simulates runs with faults. A cell is red if a promise is broken in it.
func TestFaults(t *testing.T) {
	if os.Getenv(workerEnv) != "" {
		return
	}
	if *one != "" {
		repeat(t, *one)
		return
	}
	s := newSimulator(t)
	cells := s.cells(t)
	part := 2000
	switch {
	case *all:
		part = 0
	case testing.Short() || raced:
		part = 200
	}
	cells = matching(withListed(t, sample(cells, part)), *grep)
	begun := time.Now()
	got := simulateAll(t, cells)
	took := time.Since(begun)
	if *update {
		writeKnown(t, got)
	}
	report(t, cells, got, took)
}

// repeat simulates one cell in this process.
func repeat(t *testing.T, text string) {
	c, err := plan.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	s := newSimulator(t)
	if s.runs[c.Run] == nil {
		t.Fatalf("there is no reference run %q; there are %s", c.Run, strings.Join(s.names, ", "))
	}
	w, faults := s.run(t, c)
	for _, e := range w.History.Events() {
		t.Log(e)
	}
	for _, f := range w.Missed() {
		t.Logf("the call %s was not sent", f.At)
	}
	for _, f := range faults {
		t.Errorf("%10s %s", f.At, f)
	}
}
