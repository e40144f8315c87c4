package engine

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var phaseNames = map[phase]string{
	absent: "absent", pending: "pending", ready: "ready", queued: "queued", checking: "checking", running: "running", waiting: "waiting",
	expanded: "expanded", unanswered: "unanswered", ended: "ended",
}

// moveTable reads the legal moves from doc.go, by the name of the phase before.
var moveTable = sync.OnceValues(func() (map[string][]string, error) {
	doc, err := os.ReadFile("doc.go")
	table := map[string][]string{}
	for _, row := range regexp.MustCompile(`(?m)^\t(\w+) +-> ((?:\w+(?:, )?)*) `).FindAllStringSubmatch(string(doc), -1) {
		table[row[1]] = nil
		if row[2] != "" {
			table[row[1]] = strings.Split(row[2], ", ")
		}
	}
	return table, err
})

// checkMoves fails a test whose engine makes a move that the table of doc.go does not have.
func checkMoves(t interface {
	Errorf(format string, args ...any)
	Fatal(args ...any)
}, s *State) {
	table, err := moveTable()
	if err != nil {
		t.Fatal(err)
	}
	s.graph.moved = func(from, to phase) {
		if !slices.Contains(table[phaseNames[from]], phaseNames[to]) {
			t.Errorf("a node moves from %s to %s, which the table of doc.go does not have", phaseNames[from], phaseNames[to])
		}
	}
}

// TestMoves: the table of doc.go has all phases, and the scenarios show each of its moves.
func TestMoves(t *testing.T) {
	table, err := moveTable()
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != len(phaseNames) {
		t.Errorf("doc.go has %d phases, expected %d", len(table), len(phaseNames))
	}
	seen := map[string]bool{}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		su := parseSetup(t, string(a.Files[0].Data))
		sc := newScript(t, su.program, su.run, su.limit)
		checked := sc.s.graph.moved
		sc.s.graph.moved = func(from, to phase) {
			checked(from, to)
			seen[phaseNames[from]+" -> "+phaseNames[to]] = true
		}
		sc.playRun(string(a.Files[1].Data))
	}
	for _, from := range phaseNames {
		for _, to := range table[from] {
			if !seen[from+" -> "+to] {
				t.Errorf("no scenario shows the move from %s to %s", from, to)
			}
		}
	}
}
