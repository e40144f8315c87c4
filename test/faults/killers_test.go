package faults

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/test/faults/check"
	"pipec.dev/pipec/test/faults/plan"
)

// mutationsPage lists the mutations with the cells that turn red.
const mutationsPage = "../../docs/internals/mutations.md"

// tableHead is the head of the table in the page.
const tableHead = "| mutation | file | the first cell that turns red | promise |\n|---|---|---|---|\n"

// killer is a cell that turns red with a mutation, and a promise that is broken in it.
type killer struct{ cell, promise string }

// killers reads the cells of the page by the descriptions of the mutations.
func killers(t *testing.T) map[string]killer {
	t.Helper()
	out := map[string]killer{}
	_, table := readPage(t)
	for line := range strings.Lines(table) {
		if f := strings.Split(strings.Trim(line, "|\n"), " | "); len(f) == 4 {
			out[strings.TrimSpace(f[0])] = killer{strings.Trim(f[2], "`"), strings.Trim(f[3], "` ")}
		}
	}
	return out
}

// readPage returns the page up to its table, and the rows of the table.
func readPage(t *testing.T) (before, table string) {
	t.Helper()
	data, err := os.ReadFile(mutationsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, table, ok := strings.Cut(string(data), tableHead)
	if !ok {
		t.Fatalf("%s has no table that begins with %q", mutationsPage, tableHead)
	}
	return before + tableHead, table
}

// rows returns the table of the page.
func rows(killed map[string]killer) string {
	var b strings.Builder
	for _, m := range mutations {
		k := killed[m.what]
		fmt.Fprintf(&b, "| %s | [%s](../../%s) | `%s` | `%s` |\n", m.what, m.file, m.file, k.cell, k.promise)
	}
	return b.String()
}

func writeKillers(t *testing.T, killed map[string]killer) {
	t.Helper()
	before, _ := readPage(t)
	if err := os.WriteFile(mutationsPage, []byte(before+rows(killed)), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestMutationsPage checks that the page lists all mutations, each with a cell that there can be, or with none if it was not
// tried since it was last changed.
func TestMutationsPage(t *testing.T) {
	killed := killers(t)
	if _, table := readPage(t); table != rows(killed) {
		t.Errorf("%s doesn't list the mutations: run `go test ./test/faults -run TestMutations -mutations -update`", mutationsPage)
	}
	s, promises := newSimulator(t), append(check.Promises(), "dies") // the simulation itself
	for _, m := range mutations {
		if killed[m.what].cell == "-" {
			continue // it was changed since it was last tried
		}
		c, err := plan.Parse(killed[m.what].cell)
		if err != nil || s.runs[c.Run] == nil {
			t.Errorf("%s: %q is not a cell: %v", m.what, killed[m.what].cell, err)
		}
		if !slices.Contains(promises, killed[m.what].promise) {
			t.Errorf("%s: there is no promise %q", m.what, killed[m.what].promise)
		}
	}
}
