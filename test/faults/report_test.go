package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/test/faults/plan"
)

// shown is how many red cells are made small and printed.
const shown = 10

func matching(cells []plan.Cell, text string) []plan.Cell {
	return slices.DeleteFunc(cells, func(c plan.Cell) bool { return !strings.Contains(c.String(), text) })
}

// report prints the numbers of cells, and fails the test for each cell that is not as it should be.
func report(t *testing.T, cells []plan.Cell, outcomes []outcome, took time.Duration) {
	known := readKnown(t)
	modes, runs, findings := &tally{}, &tally{}, &tally{}
	var red []plan.Cell
	missed := 0
	for i, o := range outcomes {
		c, bad := cells[i], len(o.Faults) > 0
		if o.Cell == "" {
			continue // it was enough before
		}
		modes.add(modeOf(c), bad)
		runs.add(c.Run, bad)
		if o.Missed {
			missed++
		}
		finding, listed := known[c.String()]
		switch {
		case bad:
			findings.add(cmp.Or(finding, map[bool]string{true: "known single", false: "new"}[excused(c, known)]), true)
			if !listed && !excused(c, known) {
				red = append(red, c)
			}
		case listed:
			t.Errorf("%s is green, and %s lists it for %s: remove the line", c, knownFile, finding)
		}
	}
	t.Logf("by mode:\n%s", modes)
	t.Logf("by reference run:\n%s", runs)
	t.Logf("red by finding:\n%s", findings)
	t.Logf("%d cells in %s; in %d a fault's call was not sent", len(cells), took.Round(time.Second), missed)
	for i, c := range red {
		if i == shown {
			t.Errorf("and %d more red cells", len(red)-shown)
			break
		}
		small, why := shrink(t, c)
		t.Errorf("%s\n  make faults SEED='%s'", strings.Join(why, "\n"), small)
	}
}

func modeOf(c plan.Cell) string {
	switch len(c.Faults) {
	case 0:
		return "no fault"
	case 1:
		return c.Faults[0].Mode
	}
	return "pairs"
}

// tally counts cells and red cells by a name, in the order of the first ones.
type tally struct {
	names []string
	all   map[string]int
	red   map[string]int
}

func (n *tally) add(name string, red bool) {
	if n.all == nil {
		n.all, n.red = map[string]int{}, map[string]int{}
	}
	if n.all[name]++; n.all[name] == 1 {
		n.names = append(n.names, name)
	}
	if red {
		n.red[name]++
	}
}

func (n *tally) String() string {
	var out []string
	for _, name := range n.names {
		out = append(out, fmt.Sprintf("  %-14s %6d cells %5d red", name, n.all[name], n.red[name]))
	}
	return strings.Join(out, "\n")
}
