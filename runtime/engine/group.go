package engine

import (
	"slices"

	"pipec.dev/pipec/schema/record"
)

// Slot is a slot in a concurrency group. An attempt of a step, or a call, holds it from before its start to its end.
type Slot struct {
	Step    string // the address of the step or the call
	Attempt int    // the attempt that holds the slot
	Group   string
	Limit   int // how many slots the group has
}

// RequestSlot requests a slot in a group. The answer is the event GroupEntered or, if Skip is set and all slots are held,
// GroupBusy. A run has at most one request for each group, so that runs take turns, and only while it has room under its
// limits. If another step takes the room before the answer comes, the run keeps the slot until there is room again, and
// requests no other slot of the group.
type RequestSlot struct {
	Slot
	Skip bool
}

// ReleaseSlot releases a slot, or withdraws a request that is not answered yet.
type ReleaseSlot struct{ Slot }

func (RequestSlot) action() {}
func (ReleaseSlot) action() {}

// noNode is the index of no node.
const noNode = -1

// groupQueue holds the nodes of a run that wait for a slot in one group. One of them has requested a slot. The others wait in
// lines: nodes with the same innermost limit are in the same line.
type groupQueue struct {
	waiter int           // the node that has requested a slot, or has one and has not started yet
	lines  map[int]*line // by the innermost limit
	heads  readyHeap     // the first node of each line; candidate.node is the key of the line
	calls  int           // how many calls are in the lines: they do not count against the limits
}

type line struct {
	readyHeap
	key int
}

// groups holds the queues of the concurrency groups that nodes want slots in.
type groups struct {
	graph        *graph
	sched        *scheduler
	out          *outbox
	queues       []groupQueue   // in the order in which their groups were first used
	queueByGroup map[string]int // queues
	changed      bool           // a queue may have a node that can request a slot now
}

// lineOf returns the key of the line that n waits in.
func (n *node) lineOf() int {
	if len(n.limits) == 0 {
		return noNode
	}
	return n.limits[0]
}

// needsSlot reports whether a node needs a slot before it starts and has none. Of a step with instances or rounds, these need
// slots, not the step itself.
func (n *node) needsSlot() bool {
	return n.step.Concurrency != nil && !n.hasSlot && (n.kind == process || n.kind == call)
}

// slot returns the slot of a node for the attempt that has started, or starts next.
func (n *node) slot() Slot {
	c := n.step.Concurrency
	return Slot{Step: n.addr, Attempt: n.slotAttempt, Group: c.Group, Limit: c.Limit}
}

// enqueue makes a node wait for a slot in its group.
func (gr *groups) enqueue(i int) {
	n := &gr.graph.nodes[i]
	gr.graph.move(n, queued)
	g := gr.queueOf(n.step.Concurrency.Group)
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
	if first || before { // a line with a new first node has two entries: serveQueue ignores the older one
		g.heads.push(candidate{n.position, key})
	}
	gr.changed = gr.changed || g.waiter == noNode
}

func (gr *groups) queueOf(group string) *groupQueue {
	k, ok := gr.queueByGroup[group]
	if !ok {
		k = len(gr.queues)
		gr.queues = append(gr.queues, groupQueue{waiter: noNode, lines: map[int]*line{}})
		if gr.queueByGroup == nil {
			gr.queueByGroup = map[string]int{}
		}
		gr.queueByGroup[group] = k
	}
	return &gr.queues[k]
}

// serveQueues requests a slot for the next node of each queue, as far as there is room for it.
func (gr *groups) serveQueues() {
	gr.changed, gr.sched.freed = false, false
	for k := range gr.queues {
		if g := &gr.queues[k]; g.waiter == noNode {
			gr.serveQueue(g)
		}
	}
}

func (gr *groups) serveQueue(g *groupQueue) {
	var full []candidate // lines whose first node finds no room
	for len(g.heads) > 0 && g.waiter == noNode && (g.calls > 0 || gr.sched.room()) {
		head := g.heads.pop()
		l := g.lines[head.node]
		if l == nil || slices.Compare(l.readyHeap[0].position, head.position) != 0 {
			continue
		}
		i := l.readyHeap[0].node
		n := &gr.graph.nodes[i]
		if n.phase == queued && !gr.sched.roomFor(n) {
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
		if n.phase == queued { // otherwise it was halted
			g.waiter = i
			n.requested, n.slotAttempt = true, n.number()+1
			gr.out.act(RequestSlot{Slot: n.slot(), Skip: n.step.Concurrency.Skip})
		}
	}
	for _, head := range full {
		g.heads.push(head)
	}
}

// roomFor reports whether a node could start now.
func (s *scheduler) roomFor(n *node) bool {
	for _, l := range n.limits {
		if q := &s.limits[l]; q.busy >= q.most {
			return false
		}
	}
	return true
}

// waiterFor returns the node that an answer is for, or noNode if the request was withdrawn.
func (gr *groups) waiterFor(e record.Event) int {
	i, ok := gr.graph.byAddr[e.Step]
	if !ok || gr.graph.nodes[i].phase != queued || !gr.graph.nodes[i].requested || gr.graph.nodes[i].slotAttempt != e.Attempt {
		return noNode
	}
	return i
}

// groupEntered makes a node ready in its slot. The node keeps the slot while it waits for room: the driver could not distinguish a
// released slot from the one that is requested next.
func (s *State) groupEntered(e record.Event) {
	if i := s.groups.waiterFor(e); i != noNode {
		s.graph.nodes[i].hasSlot = true
		s.sched.makeReady(i)
	}
}

// groupBusy skips a node, or ends it with the status of its last attempt. An event with a reason reports that the group cannot be
// entered at all.
func (s *State) groupBusy(e record.Event) {
	i := s.groups.waiterFor(e)
	if i == noNode {
		return
	}
	s.groups.requestDone(i)
	switch {
	case e.Reason != "":
		s.life.end(i, record.Failed, e.Reason, e.Text)
		return
	case s.graph.nodes[i].attempts > 0:
		s.life.endAsLastAttempt(i, e.Text)
		return
	}
	s.life.skip(i, record.ReasonGroupBusy, e.Text, s.graph.nodes[i].addr+" was skipped because "+e.Text)
}

// requestDone lets the next node of the queue request a slot: i has started, or no longer waits.
func (gr *groups) requestDone(i int) {
	n := &gr.graph.nodes[i]
	if !n.requested {
		return
	}
	n.requested = false
	if g := gr.queueOf(n.step.Concurrency.Group); g.waiter == i {
		g.waiter = noNode
		gr.changed = true
	}
}

// leave releases the slot of a node, or withdraws its request.
func (gr *groups) leave(i int) {
	n := &gr.graph.nodes[i]
	if n.requested || n.hasSlot {
		gr.out.act(ReleaseSlot{n.slot()})
		gr.requestDone(i)
		n.hasSlot = false
	}
}

// slots returns the slots that are held while an attempt of a node runs: those of the calls that it is part of, and its own.
func (gr *groups) slots(n *node) []Slot {
	out := gr.graph.frames[n.frame].slots
	if n.step.Concurrency != nil && n.kind == process {
		out = append(slices.Clip(out), n.slot())
	}
	return out
}
