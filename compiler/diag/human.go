package diag

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Human writes the view for people, in the style of rustc: the fault, its source lines with carets, the related ranges, and
// what to do. The last line counts the diagnostics.
func Human(w io.Writer, v *View, o Options) error {
	if len(v.Diagnostics) == 0 {
		return nil
	}
	if o.Width <= 0 {
		o.Width = 100
	}
	p := &printer{w: bufio.NewWriter(w), color: o.Color, width: max(o.Width, 40)}
	shown := map[Severity]int{}
	for _, d := range v.Diagnostics {
		if shown[d.Severity]++; o.Limit > 0 && shown[d.Severity] > o.Limit {
			continue
		}
		p.diagnostic(d)
		p.line("")
	}
	if o.Limit > 0 {
		p.hidden(shown, o.Limit)
	}
	p.line(p.paint(bold, counts(shown)))
	return p.w.Flush()
}

// Colors, as terminal sequences.
const (
	bold   = "1"
	red    = "1;31"
	yellow = "1;33"
	green  = "1;32"
	blue   = "1;34"
	cyan   = "1;36"
)

// printer writes the text. Its writer keeps the first error and returns it from Flush.
type printer struct {
	w     *bufio.Writer
	color bool
	width int
}

func (p *printer) line(s string) {
	p.w.WriteString(strings.TrimRight(s, " "))
	p.w.WriteByte('\n')
}

func (p *printer) paint(color, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (p *printer) diagnostic(d DiagnosticView) {
	color := colorOf(d.Severity)
	head := oneLine(string(d.Severity))
	if d.Code != "" {
		head += "[" + oneLine(d.Code) + "]"
	}
	p.line(p.paint(color, head) + p.paint(bold, ": "+oneLine(d.Summary)))
	gutter := gutterWidth(d.Snippet)
	p.place(d.Range, d.Snippet, gutter, color)
	if d.Detail != "" {
		p.detail(d, gutter)
	}
	for _, r := range d.Related {
		p.line(p.paint(cyan, "note") + ": " + oneLine(r.Message))
		p.place(r.Range, r.Snippet, gutterWidth(r.Snippet), cyan)
	}
	if d.Suggestion != "" {
		p.line(p.paint(green, "help") + ": " + oneLine(d.Suggestion))
	} else if d.Fix != nil {
		p.line(p.paint(green, "help") + ": " + fixText(*d.Fix))
	}
}

// place writes the position and its source lines.
func (p *printer) place(r *RangeView, snippet []LineView, gutter int, color string) {
	if r == nil {
		return
	}
	at := oneLine(r.Filename)
	if r.Start.Line > 0 {
		at += ":" + strconv.Itoa(r.Start.Line) + ":" + strconv.Itoa(max(1, r.Start.Column))
	}
	p.line(strings.Repeat(" ", gutter) + p.paint(blue, "--> ") + at)
	p.snippet(snippet, gutter, color)
}

// detail writes the detail below the snippet, behind a mark that connects them.
func (p *printer) detail(d DiagnosticView, gutter int) {
	indent := strings.Repeat(" ", gutter+3)
	first := strings.Repeat(" ", gutter) + " " + p.paint(blue, "=") + " "
	if len(d.Snippet) == 0 {
		indent, first = "  ", "  "
	}
	for i, text := range wrap(printableLines(d.Detail), p.width-len(indent)) {
		if i == 0 {
			p.line(first + text)
		} else {
			p.line(indent + text)
		}
	}
}

// hidden writes how many diagnostics were not shown.
func (p *printer) hidden(n map[Severity]int, limit int) {
	var parts []string
	for _, s := range []Severity{Error, Warning, Note} {
		if more := n[s] - limit; more > 0 {
			parts = append(parts, count(more, "more "+string(s)))
		}
	}
	if len(parts) > 0 {
		p.line(strings.Join(parts, " and ") + " not shown")
		p.line("")
	}
}

// maxFix is how many characters of a fix are shown. The source range that it replaces is shown already.
const maxFix = 80

func fixText(f FixView) string {
	text := oneLine(f.Text)
	if all := cells(text); len(all) > maxFix {
		text = ""
		for _, c := range all[:maxFix] {
			text += c.text
		}
		text += "…"
	}
	switch {
	case f.Text == "":
		return "remove this"
	case strings.TrimSpace(f.Text) == "":
		return "start a new line here"
	case f.Range.Start == f.Range.End:
		return "insert " + text
	}
	return "write " + text
}

func oneLine(s string) string {
	breaks := func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }
	return Printable(strings.Join(strings.FieldsFunc(s, breaks), " "))
}

func colorOf(s Severity) string {
	switch s {
	case Error:
		return red
	case Warning:
		return yellow
	}
	return cyan
}

func counts(n map[Severity]int) string {
	var parts []string
	for _, s := range []Severity{Error, Warning, Note} {
		if n[s] > 0 {
			parts = append(parts, count(n[s], string(s)))
		}
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
