package view

import (
	"fmt"
	"time"

	"pipec.dev/pipec/schema/record"
)

// FirstFailure returns which of several failures was the first, when it happened in a run that was started at a time, and why. It
// is "" unless more than one step has failed on its own: a step fails on its own if none of its parts has failed.
func FirstFailure(end *record.End, started time.Time) string {
	inside := insideFailures(end)
	var first *record.StepEnd
	failures := 0
	for i := range end.Steps {
		s := &end.Steps[i]
		if !failed(s) || inside[s.Name] {
			continue
		}
		failures++
		if !s.EndedAt.IsZero() && (first == nil || s.EndedAt.Before(first.EndedAt)) {
			first = s
		}
	}
	if failures < 2 || first == nil {
		return ""
	}
	return fmt.Sprintf("%s after %s: %s", safe(first.Name, 0), duration(first.EndedAt.Sub(started)), because(first.Reason, first.Message))
}

// insideFailures returns the addresses below which a part has failed.
func insideFailures(end *record.End) map[string]bool {
	out := map[string]bool{}
	for i := range end.Steps {
		if s := &end.Steps[i]; failed(s) {
			for at, ok := record.Address(s.Name).Parent(); ok; at, ok = at.Parent() {
				out[at.String()] = true
			}
		}
	}
	return out
}

func failed(s *record.StepEnd) bool { return s.Status == record.Failed || s.Status == record.TimedOut }
