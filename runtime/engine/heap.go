package engine

// indexHeap is a heap of the indexes of nodes, the smallest first. (container/heap would box each of them.)
type indexHeap []int

func (h *indexHeap) push(i int) {
	*h = append(*h, i)
	q := *h
	for at := len(q) - 1; at > 0; {
		parent := (at - 1) / 2
		if q[parent] <= q[at] {
			break
		}
		q[parent], q[at] = q[at], q[parent]
		at = parent
	}
}

// pop takes the smallest; the heap must not be empty.
func (h *indexHeap) pop() int {
	q := *h
	top, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	*h = q
	for at := 0; ; {
		child := 2*at + 1
		if child >= last {
			return top
		}
		if child+1 < last && q[child+1] < q[child] {
			child++
		}
		if q[at] <= q[child] {
			return top
		}
		q[at], q[child] = q[child], q[at]
		at = child
	}
}
