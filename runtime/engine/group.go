package engine

import (
	"slices"

	"pipec.dev/pipec/schema/record"
)

// Hold is a place in a concurrency group: of an attempt of a step, or of a call, from before it starts to its end.
type Hold struct {
	Step    string // the address
	Attempt int    // that it is for; of a call, 1
	Group   string
	Limit   int // how many places the group has
}

// EnterGroup asks for a place in a group. The answer is the event GroupEntered; or, where Skip is set and all places are
// held, GroupBusy. A run asks for one place of a group at a time, so that runs take turns, and only where it has room for
// what it is for. Others may have that room when the place is given: then it is kept until there is room again, and the
// run asks for no other place of the group meanwhile.
type EnterGroup struct {
	Hold
	Skip bool
}

// LeaveGroup gives a place back; where the question for it is not answered yet, that is taken back.
type LeaveGroup struct{ Hold }

func (EnterGroup) action() {}
func (LeaveGroup) action() {}

// noNode is no node.
const noNode = -1

// groupQueue is where the nodes of a run wait that want a place in one group: one of them asks for it, the others stand in
// line. Nodes that take their room from the same limiters stand in the same line.
type groupQueue struct {
	waiter int           // the node that asks, or has been let in and has not started yet
	lines  map[int]*line // by the innermost limiter
	heads  readyHeap     // the first of each line; the node is the line's key
	calls  int           // in the lines: they need no room of the run's own
}

type line struct {
	readyHeap
	key int
}

// lineOf is the key of the line that a node stands in.
func (n *node) lineOf() int {
	if len(n.limits) == 0 {
		return noNode
	}
	return n.limits[0]
}

// needsSlot says whether a node needs a place in a group before it starts, and has none. What has a group and nodes of
// its own is not it: its instances are, or its rounds.
func (n *node) needsSlot() bool {
	return n.step.Concurrency != nil && !n.hasSlot && (n.kind == process || n.kind == call)
}

// hold is the place of a node for what it starts next, or has started.
func (n *node) hold() Hold {
	c := n.step.Concurrency
	return Hold{Step: n.addr, Attempt: n.slotAttempt, Group: c.Group, Limit: c.Limit}
}

// enqueue lets a node wait for a place in its group.
func (s *State) enqueue(i int) {
	n := &s.nodes[i]
	n.phase = queued
	g := s.queueOf(n.step.Concurrency.Group)
	key := n.lineOf()
	l := g.lines[key]
	if l == nil {
		l = &line{key: key}
		g.lines[key] = l
	}
	first := len(l.readyHeap) == 0
	before := !first && slices.Compare(n.position, l.readyHeap[0].position) < 0
	l.push(candidate{n.position, i})
	if n.kind == call {
		g.calls++
	}
	if first || before { // a line that has a new first one is there twice: the older entry is read past
		g.heads.push(candidate{n.position, key})
	}
	s.queuesChanged = s.queuesChanged || g.waiter == noNode
}

func (s *State) queueOf(group string) *groupQueue {
	k, ok := s.queueByGroup[group]
	if !ok {
		k = len(s.queues)
		s.queues = append(s.queues, groupQueue{waiter: noNode, lines: map[int]*line{}})
		if s.queueByGroup == nil {
			s.queueByGroup = map[string]int{}
		}
		s.queueByGroup[group] = k
	}
	return &s.queues[k]
}

// serveQueues lets the next one of each group ask, as far as there is room for it.
func (s *State) serveQueues() {
	s.queuesChanged = false
	for k := range s.queues {
		if g := &s.queues[k]; g.waiter == noNode {
			s.serveQueue(g)
		}
	}
}

func (s *State) serveQueue(g *groupQueue) {
	var full []candidate // lines whose first one finds no room
	for len(g.heads) > 0 && g.waiter == noNode && (g.calls > 0 || s.room()) {
		head := g.heads.pop()
		l := g.lines[head.node]
		if l == nil || slices.Compare(l.readyHeap[0].position, head.position) != 0 {
			continue
		}
		i := l.readyHeap[0].node
		n := &s.nodes[i]
		if n.phase == queued && !s.roomFor(n) {
			full = append(full, head)
			continue
		}
		l.pop()
		if n.kind == call {
			g.calls--
		}
		if len(l.readyHeap) == 0 {
			delete(g.lines, l.key)
		} else {
			g.heads.push(candidate{l.readyHeap[0].position, l.key})
		}
		if n.phase == queued { // else it has been halted since
			g.waiter = i
			n.requested, n.slotAttempt = true, n.attempts+1
			s.act(EnterGroup{Hold: n.hold(), Skip: n.step.Concurrency.Skip})
		}
	}
	for _, head := range full {
		g.heads.push(head)
	}
}

// roomFor says whether a node could start now.
func (s *State) roomFor(n *node) bool {
	for _, l := range n.limits {
		if q := &s.limits[l]; q.busy >= q.most {
			return false
		}
	}
	return true
}

// waiterFor is the node that an answer is for; nobody where it doesn't ask any more.
func (s *State) waiterFor(e record.Event) int {
	i, ok := s.byAddr[e.Step]
	if !ok || s.nodes[i].phase != queued || !s.nodes[i].requested || s.nodes[i].slotAttempt != e.Attempt {
		return noNode
	}
	return i
}

// groupEntered lets a node start as soon as there is room, in its place, which it keeps: given back, it could not be told
// apart from the one that would be asked for next.
func (s *State) groupEntered(e record.Event) {
	if i := s.waiterFor(e); i != noNode {
		s.nodes[i].hasSlot = true
		s.makeReady(i)
	}
}

// groupBusy skips a node, or, where it has failed before, ends it as it has failed. With a reason, the group can't be
// entered at all.
func (s *State) groupBusy(e record.Event) {
	i := s.waiterFor(e)
	if i == noNode {
		return
	}
	s.requestDone(i)
	switch {
	case e.Reason != "":
		s.end(i, record.Failed, e.Reason, e.Text)
		return
	case s.nodes[i].attempts > 0:
		s.endAsLastAttempt(i, e.Text)
		return
	}
	s.skip(i, record.ReasonGroupBusy, e.Text, s.nodes[i].addr+" was skipped because "+e.Text)
}

// requestDone lets the next one of a node's group ask: the node has started, or doesn't ask any more.
func (s *State) requestDone(i int) {
	n := &s.nodes[i]
	if !n.requested {
		return
	}
	n.requested = false
	if g := s.queueOf(n.step.Concurrency.Group); g.waiter == i {
		g.waiter = noNode
		s.queuesChanged = true
	}
}

// leave gives a node's place back, or stops asking for one.
func (s *State) leave(i int) {
	n := &s.nodes[i]
	if n.requested || n.hasSlot {
		s.act(LeaveGroup{n.hold()})
		s.requestDone(i)
		n.hasSlot = false
	}
}

// holds are the places that are held while an attempt of a node runs: those of the calls that it is part of, and its own.
func (s *State) holds(n *node) []Hold {
	out := s.frames[n.frame].holds
	if n.step.Concurrency != nil && n.kind == process {
		out = append(slices.Clip(out), n.hold())
	}
	return out
}
