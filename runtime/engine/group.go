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

// groups holds the queues of the concurrency groups that nodes want slots in.
type groups struct {
	graph        *graph
	sched        *scheduler
	out          *outbox
	queues       []groupQueue   // in the order in which their groups were first used
	queueByGroup map[string]int // queues
	changed      bool           // a queue may have a node that can request a slot now
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
	if first || before { // a line that has a new first one is there twice: the older entry is read past
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

// serveQueues lets the next one of each group ask, as far as there is room for it.
func (gr *groups) serveQueues() {
	gr.changed, gr.sched.freed = false, false
	for k := range gr.queues {
		if g := &gr.queues[k]; g.waiter == noNode {
			gr.serveQueue(g)
		}
	}
}

func (gr *groups) serveQueue(g *groupQueue) {
	var full []candidate // lines whose first one finds no room
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
		if n.phase == queued { // else it has been halted since
			g.waiter = i
			n.requested, n.slotAttempt = true, n.attempts+1
			gr.out.act(EnterGroup{Hold: n.hold(), Skip: n.step.Concurrency.Skip})
		}
	}
	for _, head := range full {
		g.heads.push(head)
	}
}

// roomFor says whether a node could start now.
func (s *scheduler) roomFor(n *node) bool {
	for _, l := range n.limits {
		if q := &s.limits[l]; q.busy >= q.most {
			return false
		}
	}
	return true
}

// waiterFor is the node that an answer is for; nobody where it doesn't ask any more.
func (gr *groups) waiterFor(e record.Event) int {
	i, ok := gr.graph.byAddr[e.Step]
	if !ok || gr.graph.nodes[i].phase != queued || !gr.graph.nodes[i].requested || gr.graph.nodes[i].slotAttempt != e.Attempt {
		return noNode
	}
	return i
}

// groupEntered lets a node start as soon as there is room, in its place, which it keeps: given back, it could not be told
// apart from the one that would be asked for next.
func (s *State) groupEntered(e record.Event) {
	if i := s.groups.waiterFor(e); i != noNode {
		s.graph.nodes[i].hasSlot = true
		s.sched.makeReady(i)
	}
}

// groupBusy skips a node, or, where it has failed before, ends it as it has failed. With a reason, the group can't be
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

// requestDone lets the next one of a node's group ask: the node has started, or doesn't ask any more.
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

// leave gives a node's place back, or stops asking for one.
func (gr *groups) leave(i int) {
	n := &gr.graph.nodes[i]
	if n.requested || n.hasSlot {
		gr.out.act(LeaveGroup{n.hold()})
		gr.requestDone(i)
		n.hasSlot = false
	}
}

// holds are the places that are held while an attempt of a node runs: those of the calls that it is part of, and its own.
func (gr *groups) holds(n *node) []Hold {
	out := gr.graph.frames[n.frame].holds
	if n.step.Concurrency != nil && n.kind == process {
		out = append(slices.Clip(out), n.hold())
	}
	return out
}
