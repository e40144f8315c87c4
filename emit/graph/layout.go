package graph

import (
	"cmp"
	"slices"
)

// All lengths of a layout are integers in px/unit, so that the result does not depend on a machine's rounding.
const unit = 8

// item is an entry of a layer: a node, or a point through which a long edge passes.
type item struct {
	node   int // -1: an edge passes through
	layer  int
	height int
	y      int // of its top
	pos    int // position in its layer
}

// segment is the part of an edge between two adjacent layers. Offsets are relative to the tops of the items.
type segment struct {
	from, to       int // items
	fromOff, toOff int
	weight         int // preference for being straight
}

// wire is an edge to lay out: from a point on the right side of a node to one on the left side of another.
type wire struct {
	edge           int // index in the model
	from, to       int // nodes
	fromOff, toOff int
	arrow          bool  // it ends at the node as a whole, not at a row
	via            []int // items that it passes through
}

type layout struct {
	items    []item
	layers   [][]int // items, from top to bottom
	wires    []wire
	segments []segment
	in, out  [][]int // segments that end and start at each item
	gap      int     // distance between two items of a layer
}

// newLayout places nodes of the given heights, based on Sugiyama's method: long edges are cut at each layer, the layers
// are ordered to reduce crossings, and nodes are moved vertically to straighten edges. Except for one sort, the time is
// linear in the number of nodes and edges.
func newLayout(m *model, heights []int, wires []wire, gap int) *layout {
	l := &layout{wires: wires, gap: gap}
	for i, n := range m.nodes {
		l.items = append(l.items, item{node: i, layer: n.layer, height: heights[i]})
	}
	l.passThrough(m)
	l.layers = make([][]int, 0, m.layers)
	for i := range l.items {
		for len(l.layers) <= l.items[i].layer {
			l.layers = append(l.layers, nil)
		}
		l.layers[l.items[i].layer] = append(l.layers[l.items[i].layer], i)
	}
	l.link()
	l.order()
	l.place()
	return l
}

// passThrough creates the items through which long edges pass. Edges with a common start share them as far as possible.
// If there are many very long edges, those get no items and are drawn straight, because a chain in which every output
// is used at the end would take quadratic time.
func (l *layout) passThrough(m *model) {
	type start struct{ node, off int }
	reach := map[start]int{} // number of layers to pass
	var far []start
	for _, w := range l.wires {
		at := start{w.from, w.fromOff}
		if n := m.nodes[w.to].layer - m.nodes[w.from].layer - 1; n > reach[at] {
			if reach[at] == 0 {
				far = append(far, at)
			}
			reach[at] = n
		}
	}
	slices.SortStableFunc(far, func(a, b start) int { return cmp.Compare(reach[a], reach[b]) })
	budget := 1000 + 4*len(m.nodes)
	first := make(map[start]int, len(far))
	for _, at := range far {
		if budget -= reach[at]; budget < 0 {
			break
		}
		first[at] = len(l.items)
		for k := range reach[at] {
			l.items = append(l.items, item{node: -1, layer: m.nodes[at.node].layer + 1 + k, height: unit})
		}
	}
	for i := range l.wires {
		w := &l.wires[i]
		at, ok := first[start{w.from, w.fromOff}]
		for k := 0; ok && k < m.nodes[w.to].layer-m.nodes[w.from].layer-1; k++ {
			w.via = append(w.via, at+k)
		}
	}
}

// link cuts the edges into segments.
func (l *layout) link() {
	seen := map[[2]int]bool{} // segments that edges of one node share
	for _, w := range l.wires {
		if gapless := l.items[w.to].layer-l.items[w.from].layer == len(w.via)+1; !gapless {
			continue // drawn straight, or backwards
		}
		at, off := w.from, w.fromOff
		for _, v := range append(slices.Clone(w.via), w.to) {
			s := segment{from: at, to: v, fromOff: off, toOff: unit / 2, weight: 1}
			if v == w.to {
				s.toOff = w.toOff
			} else if at != w.from {
				s.weight = 8
			}
			shared := at != w.from && v != w.to
			if !shared || !seen[[2]int{at, v}] {
				l.segments = append(l.segments, s)
			}
			if shared {
				seen[[2]int{at, v}] = true
			}
			at, off = v, unit/2
		}
	}
	l.in, l.out = make([][]int, len(l.items)), make([][]int, len(l.items))
	for i, s := range l.segments {
		l.out[s.from] = append(l.out[s.from], i)
		l.in[s.to] = append(l.in[s.to], i)
	}
}
