package view

import (
	"fmt"
	"io"
	"time"

	"pipec.dev/pipec/schema/record"
)

// maxTable is how many steps the table at the end of a run has. Of more steps, those that succeeded are summed up first.
const maxTable = 200

// table prints every step with its status, its time, and why it has this status.
func (m *model) table(o *Options, w io.Writer) {
	names, rest := m.names, ""
	if len(names) > maxTable {
		names, rest = m.choose(maxTable)
	} else {
		names = m.withParts(maxTable)
	}
	ends := map[string]*record.StepEnd{}
	for i := range m.end.Steps {
		ends[m.end.Steps[i].Name] = &m.end.Steps[i]
	}
	nameWidth := 0
	for _, name := range names {
		nameWidth = max(nameWidth, min(width(m.steps[name].shown()), maxName))
	}
	fmt.Fprintln(w)
	for _, name := range names {
		if e := ends[name]; e != nil {
			fmt.Fprintln(w, m.tableRow(o, m.steps[name], e, nameWidth))
		}
	}
	if rest != "" {
		fmt.Fprintf(w, "  … %s\n", rest)
	}
}

// tableRow returns the row of a step.
func (m *model) tableRow(o *Options, s *step, e *record.StepEnd, nameWidth int) string {
	mark, code := "✓", green
	switch {
	case e.Status == record.Skipped:
		mark, code = "-", dim
	case e.Status != record.Succeeded:
		mark, code = "✗", red
	}
	text := status(e.Status)
	switch {
	case e.Cached:
		text = "cached"
	case e.Kept:
		text = "kept"
	}
	took := ""
	if !e.StartedAt.IsZero() && !e.Cached && !e.Kept {
		took = duration(e.EndedAt.Sub(e.StartedAt))
	} else if !s.started.IsZero() {
		took = duration(s.took(time.Time{}))
	}
	why := Why(e)
	switch {
	case why == "" && len(s.parts) > 0:
		why = s.partsText()
	case e.Status == record.Skipped:
		why = because("", e.Message)
	}
	if n := max(e.Attempts, e.Calls); n > 1 {
		why = fmt.Sprintf("(%d attempts) %s", n, why)
	}
	textCode := dim
	if code == red {
		textCode = red
	}
	return newRow(o, 1<<20, piece{code, mark}, piece{"", " " + pad(clip(s.shown(), nameWidth), nameWidth)}, piece{"", "  " + pad(text, len("succeeded"))},
		piece{"", fmt.Sprintf("  %7s", took)}, piece{textCode, "  " + safe(why, 0)}).text
}
