package engine

import (
	"slices"
)

// position is the rank of a node in the order in which ready nodes start: its rank in its parent, preceded by the parent's
// position.
type position []int32

// readyHeap is a heap of nodes, ordered by position. It avoids container/heap, which would allocate for each of them.
type readyHeap []candidate

type candidate struct {
	position position
	node     int
}

func (a *candidate) before(b *candidate) bool { return slices.Compare(a.position, b.position) < 0 }

func (h *readyHeap) push(r candidate) {
	*h = append(*h, r)
	q := *h
	for at := len(q) - 1; at > 0; {
		parent := (at - 1) / 2
		if !q[at].before(&q[parent]) {
			break
		}
		q[parent], q[at] = q[at], q[parent]
		at = parent
	}
}

// pop removes and returns the first candidate. The heap must not be empty.
func (h *readyHeap) pop() candidate {
	q := *h
	top, last := q[0], len(q)-1
	q[0], q[last] = q[last], candidate{}
	q = q[:last]
	*h = q
	for at := 0; ; {
		child := 2*at + 1
		if child >= last {
			return top
		}
		if child+1 < last && q[child+1].before(&q[child]) {
			child++
		}
		if !q[child].before(&q[at]) {
			return top
		}
		q[at], q[child] = q[child], q[at]
		at = child
	}
}
