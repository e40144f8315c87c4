package graph

// place sets the vertical position of each item, as close as possible to where its edges are straight, without changing
// the order of a layer.
func (l *layout) place() {
	for _, layer := range l.layers {
		total := -l.gap
		for _, i := range layer {
			total += l.items[i].height + l.gap
		}
		y := -total / 2
		for _, i := range layer {
			l.items[i].y = y
			y += l.items[i].height + l.gap
		}
	}
	rounds := 16
	if len(l.items) > 2000 {
		rounds = 4
	}
	for r := range rounds {
		for k := range l.layers {
			if r%2 == 0 {
				l.settle(k, true, r == rounds-2)
			} else {
				l.settle(len(l.layers)-1-k, r == rounds-1, true)
			}
		}
	}
	top := 0
	for _, it := range l.items {
		top = min(top, it.y)
	}
	for i := range l.items {
		l.items[i].y -= top
	}
}

// settle moves the items of one layer towards the mean of the positions of their neighbors on the left, the right, or
// both sides. Items that would overlap are moved as one block. This is isotonic regression by pooling adjacent
// violators, which is optimal by least squares, and linear.
func (l *layout) settle(layer int, left, right bool) {
	type block struct{ sum, weight, count int }
	var blocks []block
	mean := func(b block) int { return floorDiv(b.sum, b.weight) }
	offset := 0 // of an item in the densest packing
	for _, i := range l.layers[layer] {
		want, weight := l.wish(i, left, right)
		b := block{sum: (want - offset) * weight, weight: weight, count: 1}
		for len(blocks) > 0 && mean(blocks[len(blocks)-1]) >= mean(b) {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b = block{sum: b.sum + last.sum, weight: b.weight + last.weight, count: b.count + last.count}
		}
		blocks = append(blocks, b)
		offset += l.items[i].height + l.gap
	}
	offset = 0
	k := 0
	for _, b := range blocks {
		for range b.count {
			i := l.layers[layer][k]
			l.items[i].y = mean(b) + offset
			offset += l.items[i].height + l.gap
			k++
		}
	}
}

// wish returns the position at which an item's edges are straight on average, and its weight.
func (l *layout) wish(i int, left, right bool) (y, weight int) {
	sum := 0
	if left {
		for _, s := range l.in[i] {
			seg := l.segments[s]
			sum += (l.items[seg.from].y + seg.fromOff - seg.toOff) * seg.weight
			weight += seg.weight
		}
	}
	if right {
		for _, s := range l.out[i] {
			seg := l.segments[s]
			sum += (l.items[seg.to].y + seg.toOff - seg.fromOff) * seg.weight
			weight += seg.weight
		}
	}
	if weight == 0 {
		return l.items[i].y, 1
	}
	return floorDiv(sum, weight), weight
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}
