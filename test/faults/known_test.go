package faults

import (
	"bufio"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/test/faults/plan"
)

// knownFile lists the cells that are red for a known finding, as "FINDING CELL". A cell that is listed and green fails the
// test, too: when a finding is fixed, its lines are removed. `go test ./test/faults -all -update` writes the file.
const knownFile = "testdata/known.txt"

// findings are what is known to be wrong: the first whose patterns match a red cell and what is wrong with it.
var findings = []struct {
	name, doc     string
	cell, promise *regexp.Regexp
}{}

// findingOf names the finding that a red cell belongs to; "?": none.
func findingOf(o outcome) string {
	for _, f := range findings {
		if f.cell.MatchString(o.Cell) && slices.ContainsFunc(o.Faults, f.promise.MatchString) {
			return f.name
		}
	}
	return "?"
}

// readKnown returns the findings of the cells that are known to be red.
func readKnown(t *testing.T) map[string]string {
	t.Helper()
	return readList(t, knownFile)
}

// readList returns the findings of the cells that a file lists.
func readList(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if finding, cell, ok := strings.Cut(lines.Text(), " "); ok && !strings.HasPrefix(lines.Text(), "//") {
			out[cell] = finding
		}
	}
	return out
}

// seedsFile lists cells that were red once, as "FINDING CELL". They are simulated in each test: other pairs are chosen when the
// calls of a run change, and a cell that shows a finding may not be among them any more.
const seedsFile = "testdata/seeds.txt"

// withListed adds the cells of the two lists to others.
func withListed(t *testing.T, cells []plan.Cell) []plan.Cell {
	t.Helper()
	there := map[string]bool{}
	for _, c := range cells {
		there[c.String()] = true
	}
	for _, file := range []string{knownFile, seedsFile} {
		for _, text := range slices.Sorted(maps.Keys(readList(t, file))) {
			c, err := plan.Parse(text)
			if err != nil {
				t.Fatalf("%s: %s", file, err)
			}
			if !there[text] {
				there[text] = true
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// writeKnown writes the red cells among the outcomes.
func writeKnown(t *testing.T, outcomes []outcome) {
	t.Helper()
	var lines []string
	for _, o := range outcomes {
		if len(o.Faults) > 0 {
			lines = append(lines, findingOf(o)+" "+o.Cell)
		}
	}
	slices.Sort(lines)
	head := "// The cells that are red for a known finding; see known_test.go.\n"
	if err := os.WriteFile(knownFile, []byte(head+strings.Join(append(lines, ""), "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
}

// excused reports whether one of the faults of a pair is known to be wrong by itself.
func excused(c plan.Cell, known map[string]string) bool {
	if len(c.Faults) < 2 {
		return false
	}
	for _, f := range c.Faults {
		for n := range uint64(2) {
			if known[plan.Cell{Run: c.Run, Seed: n, Faults: []plan.Fault{f}}.String()] != "" {
				return true
			}
		}
	}
	return false
}
