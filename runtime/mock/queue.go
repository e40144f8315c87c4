package mock

import (
	"maps"
	"slices"
	"time"

	"pipec.dev/pipec/schema/record"
)

// queue holds the events that are still to come, by time, and those of one time in the order in which they were added. It
// is a container/heap.
type queue []entry

type entry struct {
	event record.Event
	seq   int
	stop  bool // the end of an attempt that was stopped
}

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if c := q[i].event.At.Compare(q[j].event.At); c != 0 {
		return c < 0
	}
	return q[i].seq < q[j].seq
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
