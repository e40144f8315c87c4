package graph

import (
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Drawing is the layout of a program, for a viewer that draws and updates the picture itself. Lengths are in px, and the
// origin is the upper left corner.
type Drawing struct {
	Width  float64     `json:"width"`
	Height float64     `json:"height"`
	Nodes  []DrawnNode `json:"nodes"`
	Edges  []DrawnEdge `json:"edges"`
	Group  *DrawnBox   `json:"finally,omitempty"` // around the steps of finally; nil: there are none
}

// DrawnBox is the position and the size of a part of a drawing.
type DrawnBox struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// DrawnNode is a step or an output of the pipeline.
type DrawnNode struct {
	DrawnBox
	Kind  string   `json:"kind"` // step, finally or output
	Name  string   `json:"name"`
	Label string   `json:"label"` // the name, shortened so that it fits
	Marks []string `json:"marks,omitempty"`
	Call  bool     `json:"call,omitempty"`
	Many  bool     `json:"many,omitempty"` // it has instances
	Text  string   `json:"text"`           // a description, with a line for each fact
}

// DrawnEdge joins two nodes.
type DrawnEdge struct {
	From int              `json:"from"`
	To   int              `json:"to"`
	Kind program.NeedKind `json:"kind"`
	Path string           `json:"path"` // as in the attribute d of an SVG path
	Text string           `json:"text"`
}

// Sizes of the nodes of a Drawing, in px/unit.
const (
	cardHeight = 46 * unit
	cardGap    = 16 * unit
	cardWidth  = 150 * unit
	cardMark   = 30 // characters of a node's marks that are drawn
	cardStatus = 14 // characters of a status, before the marks
)

// Draw returns the layout of a program. Every step is a node of the same height, without rows for its inputs and outputs.
func Draw(p *program.Program) *Drawing {
	m := newModel(p)
	boxes, heights := m.cards()
	s := &svgWriter{m: m, boxes: boxes}
	gap := cardGap
	if len(m.nodes) > maxDetailed {
		gap = slimGap
	}
	s.l = newLayout(m, heights, m.wires(boxes, false), gap)
	s.columns()
	top := titleTop - margin
	d := &Drawing{Width: length(s.right), Height: length(max(s.low-top, 2*margin)), Nodes: make([]DrawnNode, len(m.nodes)), Edges: []DrawnEdge{}}
	for i := range s.l.items {
		s.l.items[i].y -= top
	}
	for i := range m.nodes {
		d.Nodes[i] = s.drawn(i)
	}
	for i := range s.l.wires {
		w := &s.l.wires[i]
		e := &m.edges[w.edge]
		path, _ := s.path(w)
		d.Edges = append(d.Edges, DrawnEdge{From: e.from, To: e.to, Kind: class(e.kind), Path: path, Text: m.describe(e)})
	}
	if x, y, width, height, ok := s.frame(); ok {
		d.Group = &DrawnBox{length(x), length(y), length(width), length(height)}
	}
	return d
}

// cards returns a box for each node, all with the same height.
func (m *model) cards() (boxes []box, heights []int) {
	boxes, heights = make([]box, len(m.nodes)), make([]int, len(m.nodes))
	for i := range m.nodes {
		n, b := &m.nodes[i], &boxes[i]
		b.height = cardHeight
		b.width = textWidth(n.name, maxName, charWidth) + 3*boxPadding
		if n.kind == result {
			b.height = 26 * unit
		} else {
			b.width = max(b.width, cardWidth, textWidth(strings.Join(n.marks, " · "), cardMark, smallWidth)+cardStatus*smallWidth+2*boxPadding)
		}
		heights[i] = b.height
	}
	return boxes, heights
}

// drawn returns the drawing of a node.
func (s *svgWriter) drawn(i int) DrawnNode {
	n, b, it := &s.m.nodes[i], &s.boxes[i], &s.l.items[i]
	width := s.width[it.layer]
	kind := "step"
	switch n.kind {
	case finally:
		kind = "finally"
	case result:
		kind, width = "output", b.width
	}
	return DrawnNode{
		DrawnBox: DrawnBox{length(s.left[it.layer]), length(it.y), length(width), length(b.height)},
		Kind:     kind, Name: n.name, Label: record.Shorten(oneLine(n.name), maxName), Marks: n.marks, Text: s.tooltip(n),
		Call: n.step != nil && n.step.Call != nil, Many: n.step != nil && n.step.ForEach != nil,
	}
}

// length returns a length in px.
func length(v int) float64 { return float64(v) / unit }
