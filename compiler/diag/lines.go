package diag

import (
	"strconv"
	"strings"
)

// gutterWidth returns the width of the line numbers.
func gutterWidth(lines []LineView) int {
	n := 1
	for _, l := range lines {
		n = max(n, len(strconv.Itoa(l.Line)))
	}
	return n
}

// snippet writes lines with their numbers: carets under a range in one line, and a bar beside a range of several lines.
func (p *printer) snippet(lines []LineView, gutter int, color string) {
	if len(lines) == 0 {
		return
	}
	first, last := highlighted(lines)
	bar := p.paint(blue, "|")
	empty := strings.Repeat(" ", gutter) + " " + bar
	p.line(empty)
	for i, l := range lines {
		if i > 0 && l.Line > lines[i-1].Line+1 {
			gap := "..."
			if i > first && i <= last {
				gap += strings.Repeat(" ", max(0, gutter-1)) + p.paint(color, "|")
			}
			p.line(gap)
		}
		number := strconv.Itoa(l.Line)
		head := strings.Repeat(" ", gutter-len(number)) + p.paint(blue, number) + " " + bar + " "
		d := p.draw(l, p.width-gutter-5)
		switch {
		case first == last:
			p.line(head + d.text)
			if i == first {
				p.line(empty + " " + strings.Repeat(" ", d.start) + p.paint(color, strings.Repeat("^", d.end-d.start)))
			}
		case i == first && d.blankBefore:
			p.line(head + p.paint(color, "/") + " " + d.text)
		case i == first:
			p.line(head + "  " + d.text)
			p.line(empty + " " + p.paint(color, " "+strings.Repeat("_", d.start+1)+"^"))
		case i > first && i <= last:
			p.line(head + p.paint(color, "|") + " " + d.text)
			if i == last {
				p.line(empty + " " + p.paint(color, "|"+strings.Repeat("_", d.end)+"^"))
			}
		default:
			p.line(head + "  " + d.text)
		}
	}
	p.line(empty)
}

// highlighted returns the first and the last line that highlight something; both are -1 if no line does.
func highlighted(lines []LineView) (first, last int) {
	first, last = -1, -1
	for i, l := range lines {
		if l.Highlight != nil {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return first, last
}

// drawn is a line as it is printed, and its highlighted columns: at least one.
type drawn struct {
	text        string
	start, end  int
	blankBefore bool // there are only blanks before start
}

// draw fits a line into a width, around the start of what it highlights.
func (p *printer) draw(l LineView, limit int) drawn {
	text := Printable(l.Text)
	if l.CutStart {
		text = "…" + text
	}
	if l.CutEnd {
		text += "…"
	}
	span := SpanView{}
	if l.Highlight != nil {
		span = *l.Highlight
		if l.CutStart {
			span.Start++
			span.End++
		}
	}
	all := cells(text)
	from, to := cellsOf(all, span)
	lo, hi := window(all, from, max(limit, 20))
	d := drawn{blankBefore: lo == 0}
	var b strings.Builder
	col := 0
	if lo > 0 {
		b.WriteString("…")
		col = 1
	}
	d.start = -1
	for i := lo; i < hi; i++ {
		if i == from {
			d.start = col
		}
		if i == to {
			d.end = col
		}
		if i < from && strings.TrimSpace(all[i].text) != "" {
			d.blankBefore = false
		}
		b.WriteString(all[i].text)
		col += all[i].width
	}
	if d.start < 0 {
		d.start = col
	}
	if to >= hi || to < lo {
		d.end = col
	}
	d.end = max(d.end, d.start+1)
	if hi < len(all) {
		b.WriteString("…")
	}
	d.text = b.String()
	return d
}

// cellsOf converts code points to cells. A code point in the middle of a cell means the whole cell.
func cellsOf(all []cell, span SpanView) (from, to int) {
	from, to = len(all), len(all)
	at := 0
	for i, c := range all {
		if from == len(all) && span.Start < at+c.runes {
			from = i
		}
		if span.End <= at {
			to = i
			break
		}
		at += c.runes
	}
	return from, max(from, to)
}

// window selects the cells to show in a width: all if they fit, otherwise those around the given one.
func window(all []cell, around, limit int) (lo, hi int) {
	total := 0
	for _, c := range all {
		total += c.width
	}
	if total <= limit {
		return 0, len(all)
	}
	before := 0
	for _, c := range all[:around] {
		before += c.width
	}
	limit -= 2 // reserve space for the marks that show a cut
	lo = 0
	// The position is shown a third from the left. If it is near the end, more text before it is shown.
	for skip := min(before-limit/3, total-limit); skip > 0 && lo < around; lo++ {
		skip -= all[lo].width
	}
	used := 0
	for hi = lo; hi < len(all) && used+all[hi].width <= limit; hi++ {
		used += all[hi].width
	}
	return lo, max(hi, min(lo+1, len(all)))
}
