package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/test/faults/history"
	"pipec.dev/pipec/test/faults/reference"
)

func name(e *history.Event) string { return fmt.Sprintf("%s.%d", e.Step, e.Attempt) }

// ends: the run has an end, in bounded time.
func (j *judge) ends() {
	if j.end == nil && !j.mode.NoEnd {
		j.wrong(0, "the run has not ended%s", map[bool]string{true: ", and no coordinator is left"}[j.in.Ended])
	}
}

// result: the run and its steps end as the reference run says, as far as the faults allow.
func (j *judge) result() {
	if j.end == nil {
		return
	}
	at, _ := j.endedAt()
	if j.mode.Fails && (j.end.Status == record.Failed || j.end.Status == j.Want.Status) {
		return
	}
	if got := j.end; got.Status != j.Want.Status || j.Want.Reason != "" && got.Reason != j.Want.Reason {
		if !j.mode.Cancels || got.Status != record.Cancelled {
			j.wrong(at, "the run ended %s %s (%s), expected %s %s", got.Status, got.Reason, got.Message, j.Want.Status, j.Want.Reason)
			return
		}
	}
	for name, want := range j.Want.Steps {
		i := slices.IndexFunc(j.end.Steps, func(s record.StepEnd) bool { return s.Name == name })
		if i < 0 {
			if !j.mode.Cancels {
				j.wrong(at, "the step %s has no end", name)
			}
			continue
		}
		if got := &j.end.Steps[i]; !j.accepts(got, want) {
			j.wrong(at, "the step %s ended %s %s after %d attempts (%s), expected %s %s after %d", name, got.Status, got.Reason, got.Attempts, got.Message,
				want.Status, want.Reason, want.Attempts)
		}
	}
}

// accepts reports whether the faults of the cell explain how a step has ended.
func (j *judge) accepts(got *record.StepEnd, want reference.WantStep) bool {
	if j.mode.Cancels && (got.Status == record.Cancelled || got.Status == record.Skipped || j.end.Status == record.Cancelled) {
		return true
	}
	if j.mode.Repeats && want.Status == record.Cancelled && got.Status == record.Failed { // and not retried, because it is stopped
		return true
	}
	if j.mode.Crash && want.Status == record.Cancelled && got.Status == record.Skipped { // it is stopped before a coordinator knows of its pod
		return true
	}
	if got.Status != want.Status || want.Reason != "" && got.Reason != want.Reason {
		return false
	}
	// A pod that was created and has vanished while no coordinator ran has left no trace: its attempt gets another pod.
	least := want.Attempts - j.again(got.Name)
	return got.Attempts == want.Attempts || got.Attempts < want.Attempts && got.Attempts >= least || j.mode.Repeats && got.Attempts > want.Attempts
}

// again returns how many pods of a step were created for an attempt that had had one.
func (j *judge) again(step string) int {
	n, seen := 0, map[string]bool{}
	for i := range j.events {
		if e := &j.events[i]; e.What == history.Created && e.Step == step {
			if seen[name(e)] {
				n++
			}
			seen[name(e)] = true
		}
	}
	return n
}

// writes: a run sends at most two writes about pods for an attempt, and two more for each fault.
func (j *judge) writes() {
	attempts, writes, faults := map[string]bool{}, 0, 0
	for _, f := range j.in.Cell.Faults {
		if j.concerns(f) {
			faults++
		}
	}
	for i := range j.events {
		switch e := &j.events[i]; e.What {
		case history.Created:
			attempts[e.Pod] = true
		case history.Begun:
			faults++
		case history.Reached:
			if _, call, _ := strings.Cut(e.Text, "coordinator:"); strings.HasPrefix(call, "POST:pods/") || strings.HasPrefix(call, "DELETE:pods/") {
				writes++
			}
		}
	}
	if most := 2*len(attempts) + 2*faults; writes > most {
		j.wrong(0, "%d writes about pods for %d attempts and %d faults", writes, len(attempts), faults)
	}
}

// noBug: no coordinator reports a bug of its own.
func (j *judge) noBug() {
	for i := range j.events {
		if e := &j.events[i]; e.What == history.Told && strings.Contains(e.Text, "bug of pipec") {
			j.wrong(e.At, "%s", cmp.Or(e.Text, "a bug"))
		}
	}
}
