package graph

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// DOT writes a program in Graphviz's language.
func DOT(w io.Writer, p *program.Program) error {
	m := newModel(p)
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "digraph %s {\n", dotQuote(p.Pipeline))
	fmt.Fprint(b, "  rankdir=LR\n  node [shape=box, style=rounded, fontname=\"sans-serif\"]\n  edge [fontname=\"sans-serif\", fontsize=10]\n")
	inFinally := func(n node) bool { return n.kind == finally }
	for i, n := range m.nodes {
		if !inFinally(n) {
			fmt.Fprintf(b, "  n%d %s\n", i, dotNode(n))
		}
	}
	if len(p.Finally) > 0 {
		fmt.Fprint(b, "  subgraph cluster_finally {\n    label=\"finally\"\n    style=\"rounded,dashed\"\n")
		for i, n := range m.nodes {
			if inFinally(n) {
				fmt.Fprintf(b, "    n%d %s\n", i, dotNode(n))
			}
		}
		fmt.Fprint(b, "  }\n")
	}
	for i := range m.edges {
		e := &m.edges[i]
		fmt.Fprintf(b, "  n%d -> n%d [%s]\n", e.from, e.to, strings.Join(dotEdge(m, e), ", "))
	}
	fmt.Fprint(b, "}\n")
	return b.Flush()
}

func dotNode(n node) string {
	label := n.name
	if len(n.marks) > 0 {
		label += "\n" + strings.Join(n.marks, ", ")
	}
	if n.kind == result {
		return fmt.Sprintf("[label=%s, shape=ellipse]", dotQuote(label))
	}
	return fmt.Sprintf("[label=%s]", dotQuote(label))
}

func dotEdge(m *model, e *edge) []string {
	attrs := []string{"label=" + dotQuote(e.label()), "tooltip=" + dotQuote(m.describe(e))}
	switch e.kind {
	case program.NeedSoft:
		attrs = append(attrs, "style=dashed")
	case program.NeedOrder, program.NeedStatus:
		attrs = append(attrs, "style=dotted")
	}
	return attrs
}

// dotQuote writes a string in DOT, in which a backslash starts an escape sequence. Newlines are kept.
func dotQuote(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(lines[i]))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
