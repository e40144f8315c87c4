package faults

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/test/faults/plan"
)

func matching(cells []plan.Cell, text string) []plan.Cell {
	return slices.DeleteFunc(cells, func(c plan.Cell) bool { return !strings.Contains(c.String(), text) })
}

// report prints a table of modes and reference runs, and fails the test for each red cell.
func report(t *testing.T, cells []plan.Cell, outcomes []outcome, took time.Duration) {
	modes, names, red, missed := map[string][2]int{}, map[string][2]int{}, 0, 0
	promises := map[string]int{}
	var lines []string
	for i, o := range outcomes {
		bad := len(o.Faults) > 0
		mode := "none"
		switch len(cells[i].Faults) {
		case 1:
			mode = cells[i].Faults[0].Mode
		case 2:
			mode = "pairs"
		}
		for _, count := range []struct {
			m   map[string][2]int
			key string
		}{{modes, mode}, {names, cells[i].Run}} {
			n := count.m[count.key]
			n[0]++
			if bad {
				n[1]++
			}
			count.m[count.key] = n
		}
		if o.Missed {
			missed++
		}
		if bad {
			red++
			lines = append(lines, o.Cell+"  "+strings.Join(o.Faults, "; "))
			for _, f := range o.Faults {
				p, _, _ := strings.Cut(f, ":")
				promises[p]++
			}
		}
	}
	if path := os.Getenv("PIPEC_FAULTS_RED"); path != "" {
		_ = os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o666)
	}
	for _, m := range []map[string][2]int{modes, names} {
		var out []string
		for _, key := range slices.Sorted(maps.Keys(m)) {
			out = append(out, fmt.Sprintf("%s %d (%d)", key, m[key][0], m[key][1]))
		}
		t.Log(strings.Join(out, ", "))
	}
	t.Logf("%d cells in %s, %d red, in %d a fault's call was not sent; %v", len(cells), took.Round(time.Second), red, missed, promises)
	for i, line := range lines {
		if i == 20 {
			break
		}
		t.Errorf("%s", line)
	}
}
