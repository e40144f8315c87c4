package graph

import (
	"cmp"
	"slices"
)

// All lengths of a layout are whole numbers of px/unit, so that no machine's way to round shows in the picture.
const unit = 8

// item is what has a place in a layer: a node, or where a long edge passes through.
type item struct {
	node   int // -1: an edge passes through
	layer  int
	height int
	y      int // of its upper side
	pos    int // in its layer
}

// segment is a part of an edge between two neighbouring layers. The offsets are from the items' upper sides.
type segment struct {
	from, to       int // items
	fromOff, toOff int
	weight         int // how much it wants to be straight
}

// wire is an edge to lay out: from a place on the right side of a node to one on the left side of another.
type wire struct {
	edge           int // of the model
	from, to       int // nodes
	fromOff, toOff int
	arrow          bool  // it ends at the node as a whole, and not at a row of it
	via            []int // items that it passes through
}

type layout struct {
	items    []item
	layers   [][]int // items, from top to bottom
	wires    []wire
	segments []segment
	in, out  [][]int // segments that end, and start, at each item
	gap      int     // between two items of a layer
}

// newLayout places nodes of the given heights, after Sugiyama: long edges are cut at each layer that they pass, the
// layers are ordered so that few edges cross, and then moved up and down so that edges are straight. All of it takes
// time that grows with the number of nodes and edges, but for one sorting.
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

// passThrough makes the items where long edges pass. Those that start at one place share them, as far as they go. Where
// there are many that are very long, those get none and are drawn straight through: a chain in which all is used at the
// end would be quadratic.
func (l *layout) passThrough(m *model) {
	type start struct{ node, off int }
	reach := map[start]int{} // how many layers have to be passed
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
	seen := map[[2]int]bool{} // of those that edges of one node share
	for _, w := range l.wires {
		if gapless := l.items[w.to].layer-l.items[w.from].layer == len(w.via)+1; !gapless {
			continue // drawn straight through, or backwards
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
