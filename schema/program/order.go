package program

import "container/heap"

// Ordered returns the steps, and then those of finally, so that each is after all that it needs; among those that
// could be next, the first by name is. Steps that wait for each other in a ring, which a checked program has none
// of, come last.
func (p *Program) Ordered() []*Step {
	all := p.All()
	at := make(map[string]int, len(all))
	for i, s := range all {
		at[s.Name] = i
	}
	waits := make([]int, len(all))
	unblocks := make([][]int, len(all))
	for i, s := range all {
		for _, n := range s.Needs {
			if from, ok := at[n.Step]; ok {
				waits[i]++
				unblocks[from] = append(unblocks[from], i)
			}
		}
	}
	ready := &indexes{}
	for i := range all {
		if waits[i] == 0 {
			heap.Push(ready, i)
		}
	}
	out := make([]*Step, 0, len(all))
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		out = append(out, all[i])
		for _, next := range unblocks[i] {
			if waits[next]--; waits[next] == 0 {
				heap.Push(ready, next)
			}
		}
	}
	for i, s := range all {
		if waits[i] > 0 {
			out = append(out, s)
		}
	}
	return out
}

// indexes is a heap of positions in All: the smallest first, so that finally comes after the steps.
type indexes []int

func (h indexes) Len() int           { return len(h) }
func (h indexes) Less(i, j int) bool { return h[i] < h[j] }
func (h indexes) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are heap.Interface's.
func (h *indexes) Push(x any) { *h = append(*h, x.(int)) }

// Pop takes the last.
func (h *indexes) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
