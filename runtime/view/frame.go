package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/schema/record"
)

// spinner are the frames of the animation of a running step.
var spinner = [...]string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

const maxName = 32 // columns

// row is one line on the screen.
type row struct {
	text    string // with colors
	columns int    // width without colors
}

// frame draws the run for a screen with this number of columns and rows.
func (m *model) frame(o *Options, columns, rows int, now time.Time) []row {
	columns, rows = max(columns, 20), max(rows, 4)
	asks := m.asks(o, min(fewAsks, rows/4))
	room := rows - 3 - len(asks) // minus the header, the rest, and the cursor's row
	names := m.names
	rest := ""
	if len(names) > room {
		names, rest = m.choose(room)
	} else {
		names = m.withParts(room)
	}
	nameWidth := 0
	for _, name := range names {
		nameWidth = max(nameWidth, min(width(m.steps[name].shown()), maxName, columns/2))
	}
	out := []row{m.head(o, columns, now)}
	for _, name := range names {
		out = append(out, m.stepRow(o, m.steps[name], nameWidth, columns, now))
	}
	if rest != "" {
		out = append(out, newRow(o, columns, piece{dim, "  … " + rest}))
	}
	for _, text := range asks {
		out = append(out, newRow(o, columns, piece{yellow, "  " + text}))
	}
	return out
}

// choose selects the steps that fit: running and failed ones first, then those that changed last. It also summarizes
// the others. The selected steps keep their order.
func (m *model) choose(room int) (names []string, rest string) {
	ranked := slices.Clone(m.names)
	rank := func(s *step) int {
		switch {
		case s.status == record.Running:
			return 0
		case s.failed():
			return 1
		case s.status == record.Succeeded:
			return 2
		case s.status == record.Pending:
			return 3
		}
		return 4
	}
	slices.SortStableFunc(ranked, func(a, b string) int {
		x, y := m.steps[a], m.steps[b]
		if c := cmp.Compare(rank(x), rank(y)); c != 0 {
			return c
		}
		if rank(x) == 2 {
			return cmp.Compare(y.order, x.order)
		}
		return 0
	})
	shown := map[string]bool{}
	for _, name := range ranked[:room] {
		shown[name] = true
	}
	counts := map[record.Status]int{}
	for _, name := range m.names {
		if shown[name] {
			names = append(names, name)
		} else {
			counts[m.steps[name].status]++
		}
	}
	var parts []string
	for _, s := range []record.Status{record.Running, record.Failed, record.TimedOut, record.Cancelled, record.Succeeded, record.Skipped, record.Pending} {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], status(s)))
		}
	}
	return names, fmt.Sprintf("and %d more: %s", len(m.names)-room, strings.Join(parts, ", "))
}

// fewParts is how many parts of a step are shown although they neither run nor have failed.
const fewParts = 8

// withParts returns the steps and, as far as they fit, the parts below each: all parts if there are few, else those
// that run or have failed.
func (m *model) withParts(room int) []string {
	room -= len(m.names)
	var out []string
	for _, name := range m.names {
		out = append(out, name)
		s := m.steps[name]
		for _, part := range s.parts {
			p := m.steps[part]
			if room > 0 && (len(s.parts) <= fewParts || p.status == record.Running || p.failed()) {
				out = append(out, part)
				room--
			}
		}
	}
	return out
}

// partsText summarizes the status of the step's parts.
func (s *step) partsText() string {
	var parts []string
	for _, status := range []record.Status{record.Running, record.Failed, record.TimedOut, record.Cancelled, record.Succeeded, record.Skipped} {
		if n := s.counts[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(string(status), "_", " ")))
		}
	}
	return strings.Join(parts, ", ")
}

func (m *model) head(o *Options, columns int, now time.Time) row {
	end := now
	if m.end != nil {
		end = m.end.At
	}
	took := ""
	if !m.started.IsZero() {
		took = "  " + duration(end.Sub(m.started))
	}
	text := fmt.Sprintf("run %s  %d of %d steps%s", m.run, m.finished, len(m.names), took)
	if m.cancels > 0 && m.end == nil {
		return newRow(o, columns, piece{bold, text}, piece{yellow, "  " + m.cancelling(o)})
	}
	if w := m.wait.text(now); w != "" && m.end == nil {
		return newRow(o, columns, piece{bold, text}, piece{yellow, "  " + w})
	}
	return newRow(o, columns, piece{bold, text})
}

func (m *model) stepRow(o *Options, s *step, nameWidth, columns int, now time.Time) row {
	mark, code := "·", dim
	took, text, textCode := "", "", dim
	switch {
	case s.end != nil && s.status == record.Succeeded:
		mark, code = "✓", green
		if s.end.Cached || s.end.Kept {
			text, _ = s.outcome(now)
		} else if len(s.parts) > 0 {
			text = s.partsText()
		}
	case s.end != nil && s.status == record.Skipped:
		mark = "-"
		text, _ = s.outcome(now)
	case s.end != nil:
		mark, code, textCode = "✗", red, red
		text = because(s.end.Reason, s.end.Message)
	case s.ask != nil:
		mark, code, text, textCode = "?", yellow, "waiting for approval: "+oneLine(s.ask.Message), yellow
	case s.wait.what != "":
		mark, code, text, textCode = "…", yellow, s.wait.text(now), yellow
	case s.waiting:
		mark, code, text, textCode = "↻", yellow, s.note, yellow
	case s.status == record.Running && s.queued(o) != "":
		mark, code, text = "…", cyan, s.queued(o)
		if s.miss != "" {
			text += " (not cached: " + s.miss + ")"
		}
	case s.status == record.Running && len(s.parts) > 0:
		mark, code = spinner[int(s.took(now)/(100*time.Millisecond))%len(spinner)], cyan
		text = s.partsText()
	case s.status == record.Running:
		mark, code = spinner[int(s.took(now)/(100*time.Millisecond))%len(spinner)], cyan
		switch {
		case len(s.tail) > 0:
			text = s.tail[len(s.tail)-1]
		case s.miss != "":
			text = "not cached: " + s.miss
		}
		if s.attempt > 1 {
			text = fmt.Sprintf("(attempt %d) %s", s.attempt, text)
		}
	}
	if !s.started.IsZero() {
		took = duration(s.took(now))
	}
	return newRow(o, columns,
		piece{code, mark}, piece{"", " " + pad(clip(s.shown(), nameWidth), nameWidth)}, piece{"", fmt.Sprintf("  %7s", took)},
		piece{textCode, "  " + safe(text, tailWidth)})
}

// shown returns the step's name, indented if it is a part of another step.
func (s *step) shown() string {
	if s.part {
		return "  " + s.name
	}
	return s.name
}

// piece is a part of a row in one color.
type piece struct{ code, text string }

// newRow joins pieces, cut to the number of columns. The last column stays empty, because some terminals wrap there.
func newRow(o *Options, columns int, pieces ...piece) row {
	var r row
	left := columns - 1
	for _, p := range pieces {
		text := clip(p.text, left)
		w := width(text)
		left -= w
		r.columns += w
		if strings.TrimSpace(text) == "" {
			r.text += text
			continue
		}
		if p.code == "" {
			r.text += text
		} else {
			r.text += o.paint(p.code, text)
		}
	}
	return row{strings.TrimRight(r.text, " "), r.columns}
}
