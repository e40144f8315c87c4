package tests

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/record"
)

// Views are the tests in the form in which reports have them.
func (r *Results) Views() []diag.TestView {
	var out []diag.TestView
	for _, t := range r.Tests {
		out = append(out, diag.NewTestView(t.Name, t.File, t.Line, t.Passed, t.Diags))
	}
	return out
}

// Lines describes what happened in the run of a test: a line for each step that was reached, by its start.
func (o *Outcome) Lines() []string {
	h := o.History
	names := slices.Sorted(maps.Keys(h.Steps))
	slices.SortStableFunc(names, func(a, b string) int { return reached(h.Steps[a]).Compare(reached(h.Steps[b])) })
	var out []string
	for _, name := range names {
		end := h.Steps[name]
		line := fmt.Sprintf("%s: %s", name, end.Status)
		if end.Reason != "" {
			line += " (" + end.Reason + ")"
		}
		if n := max(end.Attempts, end.Calls); n > 1 {
			line += fmt.Sprintf(" after %d attempts", n)
		}
		if !end.StartedAt.IsZero() && !end.EndedAt.IsZero() {
			line += fmt.Sprintf(", %s to %s", rounded(end.StartedAt.Sub(h.StartedAt)), rounded(end.EndedAt.Sub(h.StartedAt)))
		}
		out = append(out, line)
	}
	line := fmt.Sprintf("the run: %s", h.End.Status)
	if h.End.Reason != "" {
		line += " (" + h.End.Reason + ")"
	}
	return append(out, line)
}

// reached is when a step started, or when it was decided that it never starts.
func reached(end *record.StepEnd) time.Time {
	if end.StartedAt.IsZero() {
		return end.EndedAt
	}
	return end.StartedAt
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Second / 10) }
