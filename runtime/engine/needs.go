package engine

import (
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// obstacle returns the node because of which n cannot run, or nil. A failed node is preferred to a skipped one.
func (g *graph) obstacle(n *node) *node {
	var found *node
	for _, need := range n.step.Needs {
		if n.isStep() == (need.Instance == expr.EachKey) || !n.isStep() && n.carried != nil {
			continue
		}
		m := g.needed(n, need)
		if m != nil && !met(need.Kind, m) && (found == nil || found.status() == record.Skipped && m.status() != record.Skipped) {
			found = m
		}
	}
	return found
}

// needed returns the node that a need names. It returns nil if there is no such instance: evaluating the reference reports that.
func (g *graph) needed(n *node, need program.Need) *node {
	m := &g.nodes[g.frames[n.frame].byName[need.Step]]
	if need.Instance == "" || m.byKey == nil {
		return m
	}
	key := record.Key(need.Instance).Text()
	if need.Instance == expr.EachKey {
		key = expr.Key(n.key)
	}
	child, ok := m.byKey[key]
	if !ok {
		return nil
	}
	return &g.nodes[child]
}

// met reports whether the end of m meets a need of a kind.
func met(kind program.NeedKind, m *node) bool {
	if m.kind == fan && len(m.children) > 0 && m.step.ContinueOnFailure && m.status() != record.Cancelled {
		return true // the outputs of the instances that succeeded are read
	}
	switch m.status() {
	case record.Succeeded:
		return true
	case record.Skipped:
		return kind == program.NeedSoft || kind == program.NeedStatus
	case record.Failed, record.TimedOut:
		return kind == program.NeedStatus || kind == program.NeedOrder && m.step.ContinueOnFailure
	}
	return kind == program.NeedStatus
}
