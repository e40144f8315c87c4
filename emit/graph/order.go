package graph

import (
	"cmp"
	"slices"
)

// order sorts each layer by the mean position of its items' neighbors, forwards and backwards, and keeps the best
// result.
func (l *layout) order() {
	for i := range l.layers {
		l.number(i)
	}
	sweeps := 24
	if len(l.items) > 2000 {
		sweeps = 6
	}
	best, bestCrossings := l.snapshot(), l.crossings()
	for s := 0; s < sweeps && bestCrossings > 0; s++ {
		for k := range l.layers {
			if s%2 == 0 {
				l.sortLayer(k, l.in, func(s segment) (int, int) { return s.from, s.fromOff })
			} else {
				l.sortLayer(len(l.layers)-1-k, l.out, func(s segment) (int, int) { return s.to, s.toOff })
			}
		}
		if c := l.crossings(); c < bestCrossings {
			best, bestCrossings = l.snapshot(), c
		}
	}
	for i := range l.layers {
		copy(l.layers[i], best[i])
		l.number(i)
	}
}

func (l *layout) snapshot() [][]int {
	out := make([][]int, len(l.layers))
	for i := range l.layers {
		out[i] = slices.Clone(l.layers[i])
	}
	return out
}

func (l *layout) number(layer int) {
	for pos, i := range l.layers[layer] {
		l.items[i].pos = pos
	}
}

// sortLayer sorts a layer by its items' neighbors on one side. An item without neighbors stays near its position.
func (l *layout) sortLayer(layer int, at [][]int, other func(segment) (item, off int)) {
	const fine = 1 << 16 // positions are fixed-point numbers
	mean := make(map[int]int, len(l.layers[layer]))
	for _, i := range l.layers[layer] {
		sum := 0
		for _, s := range at[i] {
			o, off := other(l.segments[s])
			// The position on the neighbor's side counts as well, so that its edges do not cross each other.
			sum += l.items[o].pos*fine + off*fine/2/(l.items[o].height+1)
		}
		if n := len(at[i]); n > 0 {
			mean[i] = sum / n
		} else {
			mean[i] = l.items[i].pos * fine
		}
	}
	slices.SortStableFunc(l.layers[layer], func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
	l.number(layer)
}

// crossings counts the pairs of segments that cross.
func (l *layout) crossings() int {
	total := 0
	for _, layer := range l.layers {
		var ends [][2]int // of the segments to this layer: the left position, then the position here
		for _, i := range layer {
			for _, s := range l.in[i] {
				seg := l.segments[s]
				ends = append(ends, [2]int{l.items[seg.from].pos<<20 + seg.fromOff, l.items[i].pos<<20 + seg.toOff})
			}
		}
		slices.SortFunc(ends, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
		total += inversions(ends, make([][2]int, len(ends)))
	}
	return total
}

// inversions counts the pairs that are in the wrong order by their second number, and sorts by it.
func inversions(a, buf [][2]int) int {
	if len(a) < 2 {
		return 0
	}
	mid := len(a) / 2
	n := inversions(a[:mid], buf[:mid]) + inversions(a[mid:], buf[mid:])
	i, j := 0, mid
	for k := range buf {
		if j == len(a) || i < mid && a[i][1] <= a[j][1] {
			buf[k] = a[i]
			i++
		} else {
			buf[k] = a[j]
			n += mid - i
			j++
		}
	}
	copy(a, buf)
	return n
}
