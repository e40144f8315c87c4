package graph

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"pipec.dev/pipec/schema/program"
)

// Mermaid writes a program as a Mermaid flowchart, which hosts of Git repositories draw. (Their default limit is 500
// edges.)
func Mermaid(w io.Writer, p *program.Program) error {
	m := newModel(p)
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "flowchart LR\n")
	for i, n := range m.nodes {
		if n.kind != finally {
			fmt.Fprintf(b, "  n%d%s\n", i, mermaidNode(n))
		}
	}
	if len(p.Finally) > 0 {
		fmt.Fprint(b, "  subgraph g0[\"finally\"]\n")
		for i, n := range m.nodes {
			if n.kind == finally {
				fmt.Fprintf(b, "    n%d%s\n", i, mermaidNode(n))
			}
		}
		fmt.Fprint(b, "  end\n")
	}
	for i := range m.edges {
		e := &m.edges[i]
		arrow := "-->"
		if e.kind == program.NeedSoft || e.kind == program.NeedOrder || e.kind == program.NeedStatus {
			arrow = "-.->"
		}
		if l := e.label(); l != "" {
			arrow += "|" + mermaidQuote(l) + "|"
		}
		fmt.Fprintf(b, "  n%d %s n%d\n", e.from, arrow, e.to)
	}
	return b.Flush()
}

func mermaidNode(n node) string {
	label := mermaidQuote(append([]string{n.name}, strings.Join(n.marks, ", "))...)
	if n.kind == result {
		return "([" + label + "])"
	}
	return "[" + label + "]"
}

// mermaidQuote writes lines as a Mermaid string. Mermaid has no backslash escapes: characters with a meaning in
// Mermaid, HTML or Markdown are written as entities.
func mermaidQuote(lines ...string) string {
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, mermaidEntities.Replace(oneLine(l)))
		}
	}
	return `"` + strings.Join(out, "<br/>") + `"`
}

var mermaidEntities = strings.NewReplacer(
	"#", "#35;", "&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;", `\`, "#92;",
	"*", "#42;", "~", "#126;", "|", "#124;", ";", "#59;", "%", "#37;",
)
