package faults

import (
	"bufio"
	"fmt"
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
}{
	{"B1", "a slot of a group is taken although its Lease could not be written",
		regexp.MustCompile(`40[13]@coordinator:(POST|PUT):leases/pipec-group`), regexp.MustCompile(`^group`)},
	{"B3", "a cancel that comes while no coordinator runs is lost", regexp.MustCompile(`^cancel~.* (kill|move|stop)`), regexp.MustCompile(`^(result|ends)`)},
	{"B11", "a pod that was created and went while nobody watched is not missed", regexp.MustCompile(`(vanish|watch)-`), regexp.MustCompile(`^result`)},
	{"B12", "one 401, 403 or 409 is the last word", regexp.MustCompile(`(401|403|409|422)@`), regexp.MustCompile(``)},
	{"B4", "a coordinator that was cut off creates pods although it was taken over", regexp.MustCompile(`cut-`), regexp.MustCompile(``)},
	{"B14", "the pod of a create that was obeyed late is never deleted", regexp.MustCompile(`late@`), regexp.MustCompile(`^orphan`)},
	{"B2", "after a crash an attempt whose pod vanished is created again, beside its successor", regexp.MustCompile(`(kill|move|stop|store)-?`), regexp.MustCompile(`^(in-order|one-live)`)},
	{"B5", "the clock of a node holds back retries", regexp.MustCompile(`clock`), regexp.MustCompile(``)},
	{"B17", "an outage that is over before a step ends costs its success", regexp.MustCompile(`store-20m`), regexp.MustCompile(``)},
}

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
	f, err := os.Open(knownFile)
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

// counts describes how many cells belong to each finding.
func counts(known map[string]string) string {
	n := map[string]int{}
	for _, finding := range known {
		n[finding]++
	}
	return fmt.Sprint(n)
}
