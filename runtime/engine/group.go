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

// nobody is no node.
const nobody = -1

// gate is where the nodes of a run wait that want a place in one group: one of them asks for it, the others stand in
// line. Nodes that take their room from the same limiters stand in the same line.
type gate struct {
	asking int           // the node that asks, or has been let in and has not started yet
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
		return nobody
	}
	return n.limits[0]
}

// wantsPlace says whether a node needs a place in a group before it starts, and has none. What has a group and nodes of
// its own is not it: its instances are, or its rounds.
func (n *node) wantsPlace() bool {
	return n.step.Concurrency != nil && !n.inside && (n.role == task || n.role == call)
}

// hold is the place of a node for what it starts next, or has started.
func (n *node) hold() Hold {
	c := n.step.Concurrency
	return Hold{Step: n.addr, Attempt: n.entry, Group: c.Group, Limit: c.Limit}
}

// queueUp lets a node wait for a place in its group.
func (s *State) queueUp(i int) {
	n := &s.nodes[i]
	n.phase = queued
	g := s.gate(n.step.Concurrency.Group)
	key := n.lineOf()
	l := g.lines[key]
	if l == nil {
		l = &line{key: key}
		g.lines[key] = l
	}
	first := len(l.readyHeap) == 0
	before := !first && slices.Compare(n.place, l.readyHeap[0].at) < 0
	l.push(candidate{n.place, i})
	if n.role == call {
		g.calls++
	}
	if first || before { // a line that has a new first one is there twice: the older entry is read past
		g.heads.push(candidate{n.place, key})
	}
	s.gatesMoved = s.gatesMoved || g.asking == nobody
}

func (s *State) gate(group string) *gate {
	k, ok := s.gateNamed[group]
	if !ok {
		k = len(s.gates)
		s.gates = append(s.gates, gate{asking: nobody, lines: map[int]*line{}})
		if s.gateNamed == nil {
			s.gateNamed = map[string]int{}
		}
		s.gateNamed[group] = k
	}
	return &s.gates[k]
}

// openGates lets the next one of each group ask, as far as there is room for it.
func (s *State) openGates() {
	s.gatesMoved = false
	for k := range s.gates {
		if g := &s.gates[k]; g.asking == nobody {
			s.openGate(g)
		}
	}
}

func (s *State) openGate(g *gate) {
	var full []candidate // lines whose first one finds no room
	for len(g.heads) > 0 && g.asking == nobody && (g.calls > 0 || s.room()) {
		head := g.heads.pop()
		l := g.lines[head.node]
		if l == nil || slices.Compare(l.readyHeap[0].at, head.at) != 0 {
			continue
		}
		i := l.readyHeap[0].node
		n := &s.nodes[i]
		if n.phase == queued && !s.roomFor(n) {
			full = append(full, head)
			continue
		}
		l.pop()
		if n.role == call {
			g.calls--
		}
		if len(l.readyHeap) == 0 {
			delete(g.lines, l.key)
		} else {
			g.heads.push(candidate{l.readyHeap[0].at, l.key})
		}
		if n.phase == queued { // else it has been halted since
			g.asking = i
			n.asking, n.entry = true, n.attempts+1
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

// asker is the node that an answer is for; nobody where it doesn't ask any more.
func (s *State) asker(e record.Event) int {
	i, ok := s.byAddr[e.Step]
	if !ok || s.nodes[i].phase != queued || !s.nodes[i].asking || s.nodes[i].entry != e.Attempt {
		return nobody
	}
	return i
}

// groupEntered lets a node start as soon as there is room, in its place, which it keeps: given back, it could not be told
// apart from the one that would be asked for next.
func (s *State) groupEntered(e record.Event) {
	if i := s.asker(e); i != nobody {
		s.nodes[i].inside = true
		s.makeReady(i)
	}
}

// groupBusy skips a node, or, where it has failed before, ends it as it has failed. With a reason, the group can't be
// entered at all.
func (s *State) groupBusy(e record.Event) {
	i := s.asker(e)
	if i == nobody {
		return
	}
	s.passed(i)
	switch {
	case e.Reason != "":
		s.end(i, record.Failed, e.Reason, e.Text)
		return
	case s.nodes[i].attempts > 0:
		s.endAsLast(i, e.Text)
		return
	}
	s.skip(i, record.ReasonGroupBusy, e.Text, s.nodes[i].addr+" was skipped because "+e.Text)
}

// passed lets the next one of a node's group ask: the node has started, or doesn't ask any more.
func (s *State) passed(i int) {
	n := &s.nodes[i]
	if !n.asking {
		return
	}
	n.asking = false
	if g := s.gate(n.step.Concurrency.Group); g.asking == i {
		g.asking = nobody
		s.gatesMoved = true
	}
}

// leave gives a node's place back, or stops asking for one.
func (s *State) leave(i int) {
	n := &s.nodes[i]
	if n.asking || n.inside {
		s.act(LeaveGroup{n.hold()})
		s.passed(i)
		n.inside = false
	}
}

// holds are the places that are held while an attempt of a node runs: those of the calls that it is part of, and its own.
func (s *State) holds(n *node) []Hold {
	out := s.scopes[n.scope].holds
	if n.step.Concurrency != nil && n.role == task {
		out = append(slices.Clip(out), n.hold())
	}
	return out
}
