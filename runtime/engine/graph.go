package engine

import (
	"cmp"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// graph holds the nodes of a run with what they wait for, and the frames that they are in.
type graph struct {
	nodes  []node         // only grows; the first ones are the steps of the program itself
	frames []frame        // only grows; the first one is the program's
	byAddr map[string]int // nodes

	selected *record.Selection // the part of the program that takes part in the run

	moved func(from, to phase) // if not nil, called for each change of a node's phase; tests set it
}

// move changes the phase of a node. doc.go lists the changes that are legal.
func (g *graph) move(n *node, to phase) {
	if g.moved != nil {
		g.moved(n.phase, to)
	}
	n.phase = to
}

// openFrame creates the nodes of a pipeline, steps before finally steps, each sorted by name. Nodes that are ready start in this
// order. caller is the address of the step that calls the pipeline, "" for the program itself, and at is the position of
// that step.
func (g *graph) openFrame(sc frame, caller record.Address, at position) int {
	n := len(g.frames)
	sc.byName = make(map[string]int, len(sc.steps[0])+len(sc.steps[1]))
	for group := range sc.steps {
		sorted := make([]*program.Step, len(sc.steps[group]))
		for i := range sc.steps[group] {
			sorted[i] = &sc.steps[group][i]
		}
		slices.SortStableFunc(sorted, func(a, b *program.Step) int { return cmp.Compare(a.Name, b.Name) })
		for _, st := range sorted {
			addr := record.Address(st.Name)
			if caller != "" {
				addr = caller.Child(st.Name)
			}
			role, limits := kindOf(st, false, false), sc.limits
			if role == call || role == loop {
				limits = nil // only their attempts count against limits
			}
			i := g.add(node{
				step: st, kind: role, addr: addr.String(), frame: n, section: group, parent: -1, phase: pending,
				position: append(slices.Clip(at), int32(len(sc.byName))), limits: limits, key: cty.NilVal, item: cty.NilVal,
			})
			sc.byName[st.Name] = i
			sc.nodes[group] = append(sc.nodes[group], i)
			sc.left[group]++
			if group == 1 {
				g.nodes[i].blockers++ // finally waits for all steps
			}
		}
	}
	g.frames = append(g.frames, sc)
	if sc.call >= 0 {
		g.leaveOut(n)
		g.link(n)
	}
	return n
}

// leaveOut marks the steps of a frame that are not part of this run.
func (g *graph) leaveOut(sc int) {
	if g.selected.All() {
		return
	}
	f := &g.frames[sc]
	for section := range f.nodes {
		for _, i := range f.nodes[section] {
			if n := &g.nodes[i]; !g.selected.Has(record.Address(n.addr)) {
				n.phase = absent
				f.left[section]--
			}
		}
	}
}

// link connects each step of a frame with the steps that it waits for. A need of each instance is connected when the instance
// is created.
func (g *graph) link(sc int) {
	for _, group := range g.frames[sc].nodes {
		for _, i := range group {
			for _, need := range g.nodes[i].step.Needs {
				if need.Instance != expr.EachKey {
					g.await(i, g.frames[sc].byName[need.Step], need.Instance)
				}
			}
		}
	}
}

// await makes node i wait for the end of j, or of the instance of j with a key.
func (g *graph) await(i, j int, instance string) {
	n, m := &g.nodes[i], &g.nodes[j]
	if instance != "" && m.kind == fan && m.phase != absent && m.phase != ended {
		key := record.Key(instance).Text()
		if instance == expr.EachKey {
			key = expr.Key(n.key)
		}
		if m.phase != expanded {
			m.instanceWaiters = append(m.instanceWaiters, instanceWaiter{i, key})
			n.blockers++
			return
		}
		child, ok := m.instance(key)
		if !ok {
			return // evaluating the reference reports the missing instance
		}
		j = child
		m = &g.nodes[j]
	}
	m.dependants = append(m.dependants, i)
	if n.phase != absent && m.phase != absent && m.phase != ended {
		n.blockers++
	}
}
