package graph

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// manySteps is the number of steps from which on each step is one line of text, so that the shape of a large program
// remains visible.
const manySteps = 40

// Text writes a program for a terminal: its steps in layers, each after its dependencies, with the sources of their
// inputs.
func Text(w io.Writer, p *program.Program) error {
	m := newModel(p)
	t := &textWriter{w: bufio.NewWriter(w), m: m, short: len(p.Steps)+len(p.Finally) > manySteps, into: make([][]int, len(m.nodes))}
	for i, e := range m.edges {
		t.into[e.to] = append(t.into[e.to], i)
	}
	var layers [][]int
	for _, layer := range m.byLayer() {
		steps := slices.DeleteFunc(layer, func(i int) bool { return m.nodes[i].kind == result })
		if len(steps) > 0 {
			layers = append(layers, steps)
		}
	}
	depth := 0
	for _, layer := range layers {
		if m.nodes[layer[0]].kind == step {
			depth++
		}
	}
	fmt.Fprintf(t.w, "%s: %s in %s\n", oneLine(p.Pipeline), plural(len(p.Steps), "step"), plural(depth, "layer"))
	for i := range p.Schedules {
		fmt.Fprintln(t.w, schedule(&p.Schedules[i]))
	}
	for _, l := range params(p.Params) {
		fmt.Fprintln(t.w, l)
	}
	t.layers(layers, depth)
	t.results(p.Outputs)
	return t.w.Flush()
}

// textWriter writes text. Flush returns the first error of its writer.
type textWriter struct {
	w     *bufio.Writer
	m     *model
	short bool
	into  [][]int // the edges that end at each node
}

func (t *textWriter) layers(layers [][]int, depth int) {
	pad := len(fmt.Sprint(depth))
	for n, layer := range layers {
		head := fmt.Sprint(n + 1)
		if n >= depth {
			head = ""
			if n == depth {
				fmt.Fprint(t.w, "\nfinally\n")
			}
		} else if n == 0 || !t.short {
			fmt.Fprintln(t.w)
		}
		widest := 0
		for _, i := range layer {
			widest = max(widest, uniseg.StringWidth(record.Shorten(oneLine(t.m.nodes[i].name), 48)))
		}
		for _, i := range layer {
			lead := fmt.Sprintf("%*s  ", pad, head)
			head = ""
			if t.short {
				t.line(lead, i, min(widest, 32))
			} else {
				t.step(lead, i)
			}
		}
	}
}

// step writes a complete step, with a line for each fact.
func (t *textWriter) step(lead string, i int) {
	n := &t.m.nodes[i]
	fmt.Fprintf(t.w, "%s%s%s\n", lead, oneLine(n.name), brackets(n.marks))
	indent := strings.Repeat(" ", len(lead)+2)
	var rows [][2]string
	for j := range n.step.Inputs {
		in := &n.step.Inputs[j]
		arrow := "← "
		if in.Value.Const != nil {
			arrow = "= "
		}
		row := arrow + record.Shorten(source(&in.Value), 72)
		if in.Default != nil {
			row += "  (default " + record.Shorten(oneLine(string(in.Default)), 24) + ")"
		}
		rows = append(rows, [2]string{oneLine(in.Name), row})
	}
	rows = append(rows, t.uses(i)...)
	if n.step.Approval != nil {
		rows = append(rows, [2]string{"asks", record.Shorten(source(&n.step.Approval.Message), 72)})
	}
	if n.step.When != nil {
		rows = append(rows, [2]string{"when", record.Shorten(source(n.step.When), 72)})
	}
	if after := t.others(i); after != "" {
		rows = append(rows, [2]string{"after", after})
	}
	t.rows(indent, rows)
	rows = rows[:0]
	for _, o := range n.step.Outputs {
		rows = append(rows, [2]string{"→ " + oneLine(o.Name), ": " + oneLine(o.Type)})
	}
	t.rows(indent, rows)
}

// rows writes pairs, with the second parts aligned.
func (t *textWriter) rows(indent string, rows [][2]string) {
	widest := 0
	for _, r := range rows {
		widest = max(widest, uniseg.StringWidth(r[0]))
	}
	for _, r := range rows {
		fmt.Fprintf(t.w, "%s%s%s %s\n", indent, r[0], spaces(widest-uniseg.StringWidth(r[0])), r[1])
	}
}

// uses returns outputs that a step uses in its command or environment instead of an input.
func (t *textWriter) uses(i int) (rows [][2]string) {
	for _, e := range t.into[i] {
		for _, l := range t.m.edges[e].links {
			if !l.input && l.use != "when" && l.use != "message" {
				rows = append(rows, [2]string{oneLine(l.use), "← " + oneLine(t.m.nodes[t.m.edges[e].from].name+"."+l.output)})
			}
		}
	}
	return rows
}

// others returns the steps that a step waits for and that its other lines don't mention.
func (t *textWriter) others(i int) string {
	var out []string
	for _, e := range t.into[i] {
		edge := &t.m.edges[e]
		if slices.ContainsFunc(edge.links, func(l link) bool { return l.use != "when" }) {
			continue
		}
		word := oneLine(t.m.nodes[edge.from].name)
		if l := edge.label(); len(edge.links) > 0 || edge.kind == program.NeedStatus {
			word += " (" + oneLine(l) + ")"
		}
		out = append(out, word)
	}
	return strings.Join(out, ", ")
}

// line writes a step on one line: its name and its dependencies.
func (t *textWriter) line(lead string, i, widest int) {
	n := &t.m.nodes[i]
	var from []string
	for _, e := range t.into[i] {
		edge := &t.m.edges[e]
		from = append(from, oneLine(t.m.nodes[edge.from].name)+suffix(edge))
	}
	name := record.Shorten(oneLine(n.name), 48)
	line := lead + name
	if len(from) > 0 {
		more := ""
		if len(from) > 6 {
			more = fmt.Sprintf(" and %d more", len(from)-6)
			from = from[:6]
		}
		line += spaces(widest-uniseg.StringWidth(name)) + "  ← " + strings.Join(from, ", ") + more
	}
	fmt.Fprintln(t.w, line+brackets(n.marks))
}

// suffix describes the output of a step that passes along an edge.
func suffix(e *edge) string {
	label := oneLine(e.label())
	switch {
	case len(e.links) > 0 && !strings.Contains(label, ", "):
		return "." + label
	case len(e.links) > 0:
		return ".{" + record.Shorten(label, 40) + "}"
	case label != "":
		return " (" + label + ")"
	}
	return ""
}

func (t *textWriter) results(outputs []program.Result) {
	if len(outputs) == 0 {
		return
	}
	fmt.Fprint(t.w, "\noutputs\n")
	for i := range outputs {
		o := &outputs[i]
		fmt.Fprintf(t.w, "   %s ← %s : %s\n", oneLine(o.Name), record.Shorten(source(&o.Value), 72), oneLine(o.Type))
	}
}

func schedule(s *program.Schedule) string {
	line := "schedule "
	if s.Name != "" {
		line += oneLine(s.Name) + ": "
	}
	line += oneLine(s.Cron) + " " + oneLine(s.Timezone)
	if s.Suspend {
		line += " (suspended)"
	}
	return line
}

func params(ps []program.Param) []string {
	var out []string
	for _, p := range ps {
		line := "param " + oneLine(p.Name) + ": " + oneLine(p.Type)
		if p.Default != nil {
			line += " = " + record.Shorten(oneLine(string(p.Default)), 48)
		}
		if p.Source != "" {
			line += " from " + record.Shorten(oneLine(p.Source), 48)
		}
		out = append(out, line)
	}
	return out
}

func brackets(marks []string) string {
	if len(marks) == 0 {
		return ""
	}
	return "  [" + strings.Join(marks, ", ") + "]"
}

func spaces(n int) string { return strings.Repeat(" ", max(0, n)) }
