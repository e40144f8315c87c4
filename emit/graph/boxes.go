package graph

import (
	"strings"

	"github.com/rivo/uniseg"

	"pipec.dev/pipec/schema/record"
)

// Sizes of the SVG, in px/unit. Names are drawn in a monospaced font, whose character widths are known without the
// font.
const (
	charWidth  = 58 // of a name: 12 px
	smallWidth = 53 // of a port or a mark: 11 px
	headHeight = 30 * unit
	markHeight = 15 * unit
	rowHeight  = 19 * unit
	footHeight = 6 * unit
	boxPadding = 14 * unit
	boxGap     = 22 * unit
	maxName    = 36 // characters of a name that are drawn; the tooltip contains all
	maxPort    = 26
	slimHeight = 24 * unit
	slimGap    = 8 * unit
)

// box is the drawing of a node: its name, its marks, and a row for each input (left) and output (right). Programs with
// many steps have no rows.
type box struct {
	width, height int
	inputs        []string
	outputs       []string
}

// maxDetailed is the maximum number of steps with which rows are drawn.
const maxDetailed = 150

func (m *model) boxes() (out []box, detailed bool) {
	detailed = len(m.nodes) <= maxDetailed
	out = make([]box, len(m.nodes))
	for i := range m.nodes {
		n, b := &m.nodes[i], &out[i]
		b.width = textWidth(n.name, maxName, charWidth) + 2*boxPadding
		switch {
		case n.kind == result:
			b.height = 26 * unit
		case !detailed:
			b.height = slimHeight
		default:
			for _, in := range n.step.Inputs {
				b.inputs = append(b.inputs, in.Name)
			}
			for _, o := range n.step.Outputs {
				b.outputs = append(b.outputs, o.Name)
			}
			b.detail(n)
		}
	}
	return out, detailed
}

func (b *box) detail(n *node) {
	left, right := 0, 0
	for _, s := range b.inputs {
		left = max(left, textWidth(s, maxPort, smallWidth))
	}
	for _, s := range b.outputs {
		right = max(right, textWidth(s, maxPort, smallWidth))
	}
	rows := left + right + 2*boxPadding
	if left > 0 && right > 0 {
		rows += 2 * boxPadding
	}
	b.width = max(b.width, rows, textWidth(strings.Join(n.marks, " · "), 80, smallWidth)+2*boxPadding, 90*unit)
	b.height = headHeight
	if len(n.marks) > 0 {
		b.height += markHeight
	}
	if k := max(len(b.inputs), len(b.outputs)); k > 0 {
		b.height += k*rowHeight + footHeight
	}
}

// head is the height of the part above the rows.
func (b *box) head() int {
	if k := max(len(b.inputs), len(b.outputs)); k > 0 {
		return b.height - k*rowHeight - footHeight
	}
	return b.height
}

// port is the distance from the top at which an edge ends or starts: at the row with that name, else in the middle of
// the head.
func (b *box) port(rows []string, name string) int {
	for i, r := range rows {
		if r == name {
			return b.head() + i*rowHeight + rowHeight/2
		}
	}
	return b.head() / 2
}

func textWidth(s string, most, char int) int {
	return uniseg.StringWidth(record.Shorten(oneLine(s), most)) * char
}

// wires are the lines to draw: one for each link of an edge to a row of its own, else one for the edge.
func (m *model) wires(boxes []box, detailed bool) []wire {
	var out []wire
	for i, e := range m.edges {
		w := wire{edge: i, from: e.from, to: e.to}
		seen := map[[2]int]bool{}
		for _, l := range e.links {
			if !detailed {
				break
			}
			w.fromOff = boxes[e.from].port(boxes[e.from].outputs, l.output)
			w.toOff, w.arrow = boxes[e.to].head()/2, true
			if l.input {
				w.toOff, w.arrow = boxes[e.to].port(boxes[e.to].inputs, l.use), false
			}
			if ends := [2]int{w.fromOff, w.toOff}; !seen[ends] {
				seen[ends] = true
				out = append(out, w)
			}
		}
		if len(seen) == 0 {
			w.fromOff, w.toOff, w.arrow = boxes[e.from].head()/2, boxes[e.to].head()/2, true
			out = append(out, w)
		}
	}
	return out
}
