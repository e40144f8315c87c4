package engine

// limiter bounds how many nodes are active at once: of the run, of a called pipeline, or of the instances of a step.
type limiter struct {
	most   int
	busy   int
	parked readyHeap // nodes that found no room
}

// scheduler holds the nodes that may start, in their order, and the limits of parallel attempts.
type scheduler struct {
	graph  *graph
	limits []limiter // only grows; the first one bounds all attempts
	ready  readyHeap // nodes that may start as soon as there is room
	freed  bool      // a limit has had room since the queues of groups were last served
}

// newLimit adds a limiter and returns its index. most must be positive.
func (s *scheduler) newLimit(most int) int {
	s.limits = append(s.limits, limiter{most: most})
	return len(s.limits) - 1
}

// acquire counts a node against its limits. If one of them is reached, the node is parked there and acquire returns false.
func (s *scheduler) acquire(i int) bool {
	n := &s.graph.nodes[i]
	for _, l := range n.limits {
		if q := &s.limits[l]; q.busy >= q.most {
			q.parked.push(candidate{n.position, i})
			return false
		}
	}
	for _, l := range n.limits {
		s.limits[l].busy++
	}
	return true
}

// release stops counting a node against its limits.
func (s *scheduler) release(i int) {
	for _, l := range s.graph.nodes[i].limits {
		s.limits[l].busy--
	}
	s.freed = true
	s.wake(i)
}

// wake lets a node that is parked at a limit of i try again if there is room, because i has ended or does not use its room.
func (s *scheduler) wake(i int) {
	for _, l := range s.graph.nodes[i].limits {
		if q := &s.limits[l]; len(q.parked) > 0 && q.busy < q.most {
			s.ready.push(q.parked.pop())
		}
	}
}

// room reports whether another attempt may start at all.
func (s *scheduler) room() bool { return s.limits[0].busy < s.limits[0].most }

// makeReady makes a node start as soon as there is room.
func (s *scheduler) makeReady(i int) {
	n := &s.graph.nodes[i]
	s.graph.move(n, ready)
	s.ready.push(candidate{n.position, i})
}
