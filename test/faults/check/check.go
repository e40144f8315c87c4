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
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/plan"
	"pipec.dev/pipec/test/faults/reference"
)

// Input is what is judged.
type Input struct {
	Cell      plan.Cell
	Reference *reference.Reference
	History   []history.Event
	Store     store.Store
	Ended     bool // in time
}

// Fault is a promise that was broken.
type Fault struct {
	Promise string // its short name
	At      time.Duration
	Text    string
}

func (f Fault) String() string { return f.Promise + ": " + f.Text }

// judge collects the faults of one run.
type judge struct {
	*reference.Run
	in     *Input
	other  string          // the name of the run in points; "": it is the first one
	events []history.Event // those of the run
	mode   plan.Mode       // what the faults of the cell allow, together
	record *record.Run
	end    *record.End
	faults []Fault
}

// promises are the names of what is checked of each run, each with its check.
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
	{"committed-once", (*judge).committedOnce},
	{"writes", (*judge).writes},
	{"log", (*judge).logged},
	{"no-bug", (*judge).noBug},
}

// Promises are the names of all promises.
func Promises() []string {
	out := []string{"group", "starved"}
	for _, p := range promises {
		out = append(out, p.name)
	}
	return out
}

// Run returns all faults, in the order of time.
func Run(in Input) []Fault {
	var faults []Fault
	for i := range in.Reference.Runs {
		j := newJudge(&in, i)
		for _, p := range promises {
			n := len(j.faults)
			p.check(j)
			for i := n; i < len(j.faults); i++ {
				j.faults[i].Promise = p.name
			}
		}
		faults = append(faults, j.faults...)
	}
	faults = append(faults, groups(&in)...)
	faults = append(faults, starved(&in)...)
	slices.SortStableFunc(faults, func(a, b Fault) int { return int(a.At - b.At) })
	return slices.CompactFunc(faults, func(a, b Fault) bool { return a.String() == b.String() })
}

// newJudge returns the judge of a run.
func newJudge(in *Input, i int) *judge {
	j := &judge{Run: &in.Reference.Runs[i], in: in}
	if i > 0 {
		j.other = j.Name
	}
	for _, e := range in.History {
		if e.Run == j.Name {
			j.events = append(j.events, e)
		}
	}
	for _, f := range in.Cell.Faults {
		if !j.concerns(f) {
			continue
		}
		m, _ := plan.Find(f.Mode)
		j.mode.Repeats, j.mode.Cancels = j.mode.Repeats || m.Repeats, j.mode.Cancels || m.Cancels
		j.mode.NoEnd, j.mode.Crash = j.mode.NoEnd || m.NoEnd, j.mode.Crash || m.Crash
		j.mode.Fails = j.mode.Fails || m.Fails
	}
	j.read()
	return j
}

// concerns reports whether a fault is about the run.
func (j *judge) concerns(f plan.Fault) bool {
	m, _ := plan.Find(f.Mode)
	return f.At.Run == j.other || m.Outage > 0
}

func (j *judge) wrong(at time.Duration, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if j.other != "" {
		text = j.other + ": " + text
	}
	j.faults = append(j.faults, Fault{At: at, Text: text})
}

// endedAt returns when the end of the run was recorded; false: it was not.
func (j *judge) endedAt() (time.Duration, bool) {
	for i := range j.events {
		if e := &j.events[i]; e.What == history.Stored && strings.HasPrefix(e.Text, "runs/") && strings.HasSuffix(e.Text, "/"+j.Name+"/end.json") {
			return e.At, true
		}
	}
	return 0, false
}
