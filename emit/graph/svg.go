package graph

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// SVG writes a program as a picture with its own layout: from left to right, a box for each step with its inputs and
// outputs, and a line for each dependency. It is readable on light and dark backgrounds, has tooltips, and loads no
// other files.
func SVG(w io.Writer, p *program.Program) error {
	m := newModel(p)
	boxes, detailed := m.boxes()
	heights := make([]int, len(boxes))
	for i, b := range boxes {
		heights[i] = b.height
	}
	gap := boxGap
	if !detailed {
		gap = slimGap
	}
	s := &svgWriter{w: bufio.NewWriterSize(w, 1<<16), m: m, boxes: boxes, detailed: detailed}
	s.l = newLayout(m, heights, m.wires(boxes, detailed), gap)
	s.columns()
	s.write(p)
	return s.w.Flush()
}

// svgWriter writes an SVG. Flush returns the first error of its writer.
type svgWriter struct {
	w          *bufio.Writer
	m          *model
	boxes      []box
	l          *layout
	detailed   bool
	left       []int // of each layer
	width      []int // of each layer
	right, low int   // of the whole picture
}

const (
	margin   = 24 * unit
	titleTop = 52 * unit // height of the title
	groupPad = 16 * unit // around the steps of finally
	groupTop = 22 * unit // height of the group's name
)

// columns sets the position and the width of each layer. All boxes of a layer have the same width, so that no edge runs
// behind a box.
func (s *svgWriter) columns() {
	s.left, s.width = make([]int, len(s.l.layers)), make([]int, len(s.l.layers))
	crowd := make([]int, len(s.l.layers)+1)
	for _, seg := range s.l.segments {
		crowd[s.l.items[seg.to].layer]++
	}
	x := margin
	for k, layer := range s.l.layers {
		if k > 0 {
			x += 52*unit + min(crowd[k]*4, 90)*unit
		}
		if k == s.m.layers {
			x += groupPad
		}
		s.left[k] = x
		for _, i := range layer {
			if n := s.l.items[i].node; n >= 0 {
				s.width[k] = max(s.width[k], s.boxes[n].width)
			}
		}
		x += s.width[k]
	}
	s.right = x + margin
	if len(s.l.layers) > s.m.layers {
		s.right += groupPad
	}
	top := titleTop
	if len(s.l.layers) > s.m.layers {
		top += groupTop
	}
	for i := range s.l.items {
		it := &s.l.items[i]
		it.y += top
		s.low = max(s.low, it.y+it.height)
	}
	s.low += margin
	if len(s.l.layers) > s.m.layers {
		s.low += groupPad
	}
}

func (s *svgWriter) write(p *program.Program) {
	title := oneLine(p.Pipeline)
	count := plural(len(p.Steps)+len(p.Finally), "step")
	kinds := s.legendKinds()
	low := max(s.low, titleTop+margin)
	right := max(s.right, 2*margin+textWidth(title, 1<<20, 67)+textWidth(count, 80, charWidth), legendWidth(kinds))
	if len(kinds) > 0 {
		low += 18 * unit
	}
	fmt.Fprintf(s.w, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="img">`+"\n",
		px(right), px(low), px(right), px(low))
	fmt.Fprintf(s.w, "<title>%s</title>\n%s", escape("pipeline "+title), heads()+style)
	fmt.Fprintf(s.w, `<rect class="ground" width="%s" height="%s"/>`+"\n", px(right), px(low))
	fmt.Fprintf(s.w, `<text class="title" x="24" y="32">%s<tspan class="mark" dx="10">%s</tspan></text>`+"\n", escape(title), count)
	s.group()
	for i := range s.l.wires {
		s.wire(&s.l.wires[i])
	}
	for i := range s.m.nodes {
		s.node(i)
	}
	s.legend(kinds, low-margin)
	fmt.Fprint(s.w, "</svg>\n")
}

// frame returns the position and the size of the frame of the steps of finally. It returns false if there are none.
func (s *svgWriter) frame() (x, y, width, height int, ok bool) {
	if len(s.l.layers) <= s.m.layers {
		return 0, 0, 0, 0, false
	}
	top, low := 1<<60, 0
	for _, layer := range s.l.layers[s.m.layers:] {
		for _, i := range layer {
			it := s.l.items[i]
			top, low = min(top, it.y), max(low, it.y+it.height)
		}
	}
	last := len(s.l.layers) - 1
	x = s.left[s.m.layers] - groupPad
	return x, top - groupPad - groupTop/2, s.left[last] + s.width[last] + groupPad - x, low - top + 2*groupPad + groupTop/2, true
}

// group draws the frame of the steps of finally.
func (s *svgWriter) group() {
	x, y, width, height, ok := s.frame()
	if !ok {
		return
	}
	fmt.Fprintf(s.w, `<g class="group"><rect x="%s" y="%s" width="%s" height="%s" rx="12"/><text x="%s" y="%s">finally</text></g>`+"\n",
		px(x), px(y), px(width), px(height), px(x+12*unit), px(y+groupPad/2+groupTop/2))
}

// path returns the path of a line: curved between layers, and straight through the layers that it passes. mid is a point
// in the middle of its last part.
func (s *svgWriter) path(w *wire) (path string, mid [2]int) {
	from, to := &s.l.items[w.from], &s.l.items[w.to]
	x, y := s.left[from.layer]+s.width[from.layer], from.y+w.fromOff
	var d strings.Builder
	fmt.Fprintf(&d, "M%s %s", px(x), px(y))
	curve := func(nx, ny int) {
		bend := max((nx-x)/2, 24*unit)
		if nx < x { // backwards, in a cycle
			bend = 90 * unit
		}
		if ny == y && nx > x {
			fmt.Fprintf(&d, "H%s", px(nx))
		} else {
			fmt.Fprintf(&d, "C%s %s %s %s %s %s", px(x+bend), px(y), px(nx-bend), px(ny), px(nx), px(ny))
		}
		x, y = nx, ny
	}
	for _, v := range w.via {
		it := &s.l.items[v]
		curve(s.left[it.layer], it.y+unit/2)
		if x += s.width[it.layer]; s.width[it.layer] > 0 {
			fmt.Fprintf(&d, "H%s", px(x))
		}
	}
	startX, startY := x, y
	curve(s.left[to.layer], to.y+w.toOff)
	return d.String(), [2]int{(startX + x) / 2, (startY + y) / 2}
}

// wire draws a line.
func (s *svgWriter) wire(w *wire) {
	e := &s.m.edges[w.edge]
	path, mid := s.path(w)
	fmt.Fprintf(s.w, `<g class="edge %s"><title>%s</title><path d="%s"%s/>`, class(e.kind), escapeLines(s.m.describe(e)), path, head(e.kind, w.arrow))
	if word := needWords(e.kind); word != "" && s.detailed {
		if len(e.links) > 0 {
			word = e.label()
		}
		fmt.Fprintf(s.w, `<text x="%s" y="%s">%s</text>`, px(mid[0]), px(mid[1]-3*unit), escape(record.Shorten(word, maxPort)))
	}
	fmt.Fprint(s.w, "</g>\n")
}

// class returns the style class of a kind of edge; unknown kinds are drawn as the most common one.
func class(k program.NeedKind) program.NeedKind {
	switch k {
	case program.NeedSoft, program.NeedOrder, program.NeedStatus, needResult:
		return k
	}
	return program.NeedOutput
}

func head(k program.NeedKind, arrow bool) string {
	if !arrow {
		return ""
	}
	return fmt.Sprintf(` marker-end="url(#%s)"`, class(k))
}

// px writes a length: 12.5 for 100/8.
func px(v int) string { return strconv.FormatFloat(float64(v)/unit, 'f', -1, 64) }

// escape writes a text as one line of XML.
func escape(s string) string { return escapeLines(oneLine(s)) }

// escapeLines is escape for a text with several lines.
func escapeLines(s string) string {
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if err := xml.EscapeText(&b, []byte(oneLine(line))); err != nil {
			return "" // never: writing to a strings.Builder does not fail
		}
	}
	return b.String()
}
