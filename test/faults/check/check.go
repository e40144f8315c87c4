// Package check judges what has happened in a simulated run: whether it has ended as it should, and whether all promises of
// docs/reliability.md were kept at every moment.
//
// It reads a history and what is in the store. It runs nothing.
package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
	"pipec.dev/pipec/test/faults/reference"
)

// Input is what is judged.
type Input struct {
	Cell    plan.Cell
	Run     string
	Want    reference.Want
	Program *program.Program
	Script  reference.Scripts
	History []history.Event
	Store   store.Store
	Ended   bool // in time
}

// Fault is a promise that was broken.
type Fault struct {
	Promise string // its short name
	At      time.Duration
	Text    string
}

func (f Fault) String() string { return f.Promise + ": " + f.Text }

// judge collects faults.
type judge struct {
	Input
	mode   plan.Mode // what the faults of the cell allow, together
	record *record.Run
	end    *record.End
	faults []Fault
}

// promises are the names of what is checked, each with its check.
var promises = []struct {
	name  string
	check func(*judge)
}{
	{"ends", (*judge).ends},
	{"result", (*judge).result},
	{"one-live", (*judge).oneLive},
	{"in-order", (*judge).inOrder},
	{"after-end", (*judge).afterEnd},
	{"taken-over", (*judge).takenOver},
	{"orphan", (*judge).orphans},
	{"group", (*judge).groups},
	{"committed-once", (*judge).committedOnce},
	{"writes", (*judge).writes},
	{"log", (*judge).logged},
	{"no-bug", (*judge).noBug},
}

// Run returns all faults, in the order of time.
func Run(in Input) []Fault {
	j := &judge{Input: in}
	for _, f := range in.Cell.Faults {
		m, _ := plan.Find(f.Mode)
		j.mode.Repeats, j.mode.Cancels = j.mode.Repeats || m.Repeats, j.mode.Cancels || m.Cancels
		j.mode.NoEnd, j.mode.Crash = j.mode.NoEnd || m.NoEnd, j.mode.Crash || m.Crash
	}
	for _, f := range in.Cell.Faults {
		m, _ := plan.Find(f.Mode)
		j.mode.Fails = j.mode.Fails || m.Fails
	}
	j.read()
	for _, p := range promises {
		n := len(j.faults)
		p.check(j)
		for i := n; i < len(j.faults); i++ {
			j.faults[i].Promise = p.name
		}
	}
	slices.SortStableFunc(j.faults, func(a, b Fault) int { return int(a.At - b.At) })
	return slices.CompactFunc(j.faults, func(a, b Fault) bool { return a.String() == b.String() })
}

func (j *judge) wrong(at time.Duration, format string, args ...any) {
	j.faults = append(j.faults, Fault{At: at, Text: fmt.Sprintf(format, args...)})
}

// endedAt returns when the end of the run was recorded; false: it was not.
func (j *judge) endedAt() (time.Duration, bool) {
	for i := range j.History {
		if e := &j.History[i]; e.What == history.Stored && strings.HasPrefix(e.Text, "runs/") && strings.HasSuffix(e.Text, "/"+j.Run+"/end.json") {
			return e.At, true
		}
	}
	return 0, false
}
