package graph

import (
	"fmt"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// node draws a box.
func (s *svgWriter) node(i int) {
	n, b, it := &s.m.nodes[i], &s.boxes[i], &s.l.items[i]
	width := s.width[it.layer]
	class := "step"
	switch n.kind {
	case finally:
		class = "step last"
	case result:
		class, width = "result", b.width
	}
	fmt.Fprintf(s.w, `<g class="%s" transform="translate(%s %s)"><title>%s</title>`, class, px(s.left[it.layer]), px(it.y), escapeLines(s.tooltip(n)))
	radius := 7
	if n.kind == result {
		radius = 13
	}
	fmt.Fprintf(s.w, `<rect width="%s" height="%s" rx="%d"/>`, px(width), px(b.height), radius)
	baseline := b.height/2 + 4*unit
	if n.kind != result && s.detailed {
		baseline = 20 * unit
	}
	fmt.Fprintf(s.w, `<text x="%s" y="%s">%s</text>`, px(boxPadding), px(baseline), escape(record.Shorten(oneLine(n.name), maxName)))
	if n.kind != result && s.detailed {
		if len(n.marks) > 0 {
			fmt.Fprintf(s.w, `<text class="mark" x="%s" y="%s">%s</text>`, px(boxPadding), px(35*unit), escape(record.Shorten(strings.Join(n.marks, " · "), 80)))
		}
		s.rows(n, b, width)
	}
	fmt.Fprint(s.w, "</g>\n")
}

// rows draws the inputs on the left and the outputs on the right.
func (s *svgWriter) rows(n *node, b *box, width int) {
	if len(b.inputs)+len(b.outputs) == 0 {
		return
	}
	fmt.Fprintf(s.w, `<path class="rule" d="M0 %sH%s"/>`, px(b.head()), px(width))
	for i := range n.step.Inputs {
		in := &n.step.Inputs[i]
		y := b.port(b.inputs, in.Name)
		class := "port"
		if !fromStep(&in.Value) {
			class = "port free"
		}
		fmt.Fprintf(s.w, `<g class="%s"><title>%s</title><circle cx="0" cy="%s" r="3.5"/><text x="%s" y="%s">%s</text></g>`,
			class, escape(inputTooltip(in)), px(y), px(boxPadding), px(y+4*unit), escape(record.Shorten(oneLine(in.Name), maxPort)))
	}
	for _, o := range n.step.Outputs {
		y := b.port(b.outputs, o.Name)
		fmt.Fprintf(s.w, `<g class="port out"><title>%s</title><circle cx="%s" cy="%s" r="3.5"/><text x="%s" y="%s">%s</text></g>`,
			escape(o.Name+": "+o.Type), px(width), px(y), px(width-boxPadding), px(y+4*unit), escape(record.Shorten(oneLine(o.Name), maxPort)))
	}
}

func fromStep(v *program.Value) bool {
	for _, r := range v.Refs() {
		if strings.HasPrefix(r, "step.") {
			return true
		}
	}
	return false
}

func inputTooltip(in *program.Input) string {
	arrow := " ← "
	if in.Value.Const != nil {
		arrow = " = "
	}
	text := in.Name + ": " + in.Type + arrow + record.Shorten(source(&in.Value), 200)
	if in.Default != nil {
		text += " (default " + record.Shorten(string(in.Default), 80) + ")"
	}
	return text
}

// tooltip describes a node completely, with a line for each fact.
func (s *svgWriter) tooltip(n *node) string {
	if n.kind == result {
		return "output " + n.name + ": " + n.result.Type + " ← " + record.Shorten(source(&n.result.Value), 200)
	}
	lines := []string{n.name}
	if n.step.Doc != "" {
		lines = append(lines, record.Shorten(oneLine(n.step.Doc), 200))
	}
	if n.step.Python != "" {
		lines = append(lines, "python "+n.step.Python)
	}
	if n.step.Script != "" {
		lines = append(lines, "script "+n.step.Script)
	}
	if n.step.When != nil {
		lines = append(lines, "when "+record.Shorten(source(n.step.When), 200))
	}
	for _, m := range n.marks {
		if m != "when" {
			lines = append(lines, m)
		}
	}
	return strings.Join(lines, "\n")
}

// legendKinds are the kinds of edges that the legend explains.
func (s *svgWriter) legendKinds() []program.NeedKind {
	seen := map[program.NeedKind]bool{}
	for _, e := range s.m.edges {
		seen[e.kind] = true
	}
	var out []program.NeedKind
	for _, k := range []program.NeedKind{program.NeedSoft, program.NeedOrder, program.NeedStatus} {
		if seen[k] {
			out = append(out, k)
		}
	}
	return out
}

var legendWords = map[program.NeedKind]string{
	program.NeedSoft:   "may be skipped",
	program.NeedOrder:  "only the order",
	program.NeedStatus: "waits for any end",
}

func legendWidth(kinds []program.NeedKind) int {
	w := 2 * margin
	for _, k := range kinds {
		w += 60*unit + textWidth(legendWords[k], 80, smallWidth)
	}
	return w
}

func (s *svgWriter) legend(kinds []program.NeedKind, y int) {
	x := margin
	for _, k := range kinds {
		fmt.Fprintf(s.w, `<g class="key %s"><path d="M%s %sh%d"/></g><text class="mark" x="%s" y="%s">%s</text>`+"\n",
			k, px(x), px(y), 28, px(x+36*unit), px(y+4*unit), legendWords[k])
		x += 60*unit + textWidth(legendWords[k], 80, smallWidth)
	}
}
