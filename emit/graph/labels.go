package graph

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"pipec.dev/pipec/schema/program"
)

// needWords describe what an edge requires if no output passes along it.
func needWords(k program.NeedKind) string {
	switch k {
	case program.NeedOrder:
		return "after"
	case program.NeedStatus:
		return "status"
	}
	return ""
}

// label is the text of an edge: the outputs that pass along it, else what the edge requires.
func (e *edge) label() string {
	var names []string
	for _, l := range e.links {
		if !slices.Contains(names, l.output) {
			names = append(names, l.output)
		}
	}
	if len(names) == 0 {
		return needWords(e.kind)
	}
	return strings.Join(names, ", ")
}

// describe returns a complete description of an edge, with a line for each of its links.
func (m *model) describe(e *edge) string {
	from, to := m.nodes[e.from].name, m.nodes[e.to].name
	var lines []string
	for _, l := range e.links {
		line := from + "." + l.output
		if l.typ != "" {
			line += ": " + l.typ
		}
		switch {
		case l.input:
			line += " → " + to + "." + l.use
		case l.use != "":
			line += " → " + l.use + " of " + to
		default:
			line += " → output " + to
		}
		lines = append(lines, line)
	}
	switch {
	case len(lines) == 0 && e.kind == program.NeedStatus:
		lines = append(lines, fmt.Sprintf("%s waits for the end of %s", to, from))
	case len(lines) == 0:
		lines = append(lines, fmt.Sprintf("%s runs after %s", to, from))
	case e.kind == program.NeedSoft:
		lines = append(lines, "null or its default if "+from+" was skipped")
	}
	return strings.Join(lines, "\n")
}

// source describes where a value comes from.
func source(v *program.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Ref != "":
		return oneLine(strings.TrimPrefix(v.Ref, "step."))
	case v.Expr != nil:
		return oneLine(v.Expr.Text)
	}
	return oneLine(string(v.Const))
}

// oneLine makes a text safe for one line: without control characters or repeated blanks.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
