package podstate

import (
	"cmp"
	"fmt"
	"slices"

	"pipec.dev/pipec/schema/record"
)

// Reasons that only pods have.
const (
	ReasonEvicted  = "Evicted"
	ReasonDeadline = "DeadlineExceeded"
	ReasonDeleted  = "PodDeleted"
	ReasonRefused  = "PodRefused" // the node rejected the pod
	ReasonNodeLost = "NodeLost"
)

// Verdict returns how an attempt has ended, from the result that its wrapper has committed (nil: none) and the last known state
// of its pod. gone reports that the pod no longer exists. The caller sets the names and times of the result.
//
// A committed result counts, unless the pod has a more precise reason: the wrapper receives a signal without its cause, and
// not every kernel reports that a process was killed because memory ran out.
func Verdict(committed *record.Result, s *State, gone bool) record.Result {
	v := view{s, gone}
	var r record.Result
	if committed != nil {
		r = *committed
	} else {
		row, c := v.ending(func(*Row) bool { return true })
		r = record.Result{Status: record.Failed, Class: infrastructure}
		if t := c.agent; row.Class == "" && t != nil {
			r.Status, r.Class, r.Reason, r.ExitCode = t.Status, t.Class, t.Reason, t.ExitCode
		}
		row.apply(&r, &c)
	}
	if r.Status != record.Failed {
		return r
	}
	if row, c := v.ending(func(row *Row) bool { return slices.Contains(row.Replaces, r.Reason) }); row != nil {
		row.apply(&r, &c)
	}
	if s.Starved != "" && r.Reason != record.ReasonOOM {
		r.Message += fmt.Sprintf("; the container %q of its pod ran out of memory", s.Starved)
	}
	return r
}

// ending returns the first row of those that count which describes the end of the pod, and what the pod reports; nil: none does.
func (v view) ending(counts func(*Row) bool) (*Row, cause) {
	for i := range endings {
		row := &endings[i]
		if !counts(row) {
			continue
		}
		if c, ok := v.report(row.Part); ok && row.matches(&c) {
			return row, c
		}
	}
	return nil, cause{}
}

// apply enters a row in a result.
func (r *Row) apply(to *record.Result, c *cause) {
	to.Message = r.text(c)
	if r.Class == "" {
		return
	}
	to.Class, to.Reason = r.Class, cmp.Or(r.Reason, c.reason)
	if r.Status != "" {
		to.Status = r.Status
	}
}
