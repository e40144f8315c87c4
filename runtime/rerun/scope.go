package rerun

import (
	"slices"
	"strings"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// scope is a pipeline whose steps are judged: the program itself, or a pipeline that a step calls.
type scope struct {
	*decider
	at       record.Address           // of the step that calls it; "": the program itself
	was, now map[string]*program.Step // by name
	differs  map[string]bool          // the params that have other values
	verdicts map[string]*verdict
}

func (d *decider) scope(at record.Address, was, now map[string]*program.Step, differs map[string]bool) *scope {
	return &scope{decider: d, at: at, was: was, now: now, differs: differs, verdicts: map[string]*verdict{}}
}

// verdict is what is known about a step or a part of it. same reports whether its dependants find it as it was: it is kept,
// or would be skipped again for the same reason.
type verdict struct {
	keep, same bool
	why        string
	parts      []Decision          // about its parts, if some are kept and others are not
	instances  map[record.Key]bool // which of its instances are the same; nil: it was not expanded
}

func (sc *scope) address(name string) record.Address {
	if sc.at == "" {
		return record.Address(name)
	}
	return sc.at.Child(name)
}

// judge judges the step, and what it needs before it. It keeps its own stack, because chains are as long as programs.
func (sc *scope) judge(s *program.Step) *verdict {
	todo := []*program.Step{s}
	for len(todo) > 0 {
		top := todo[len(todo)-1]
		if sc.verdicts[top.Name] != nil {
			todo = todo[:len(todo)-1]
			continue
		}
		ready := true
		for _, need := range top.Needs {
			if sc.verdicts[need.Step] == nil && sc.now[need.Step] != nil {
				ready = false
				todo = append(todo, sc.now[need.Step])
			}
		}
		if ready {
			sc.verdicts[top.Name] = sc.step(top)
			todo = todo[:len(todo)-1]
		}
	}
	return sc.verdicts[s.Name]
}

// step judges a step whose needs have been judged.
func (sc *scope) step(s *program.Step) *verdict {
	at := sc.address(s.Name)
	old, end := sc.was[s.Name], sc.ends[at]
	switch {
	case old == nil:
		return &verdict{why: "new"}
	case end == nil:
		return &verdict{why: "was not part of it"}
	case sc.from[at.String()]:
		return &verdict{why: named}
	}
	n := node{at: at, step: s, old: old, differs: sc.difference(s, old)}
	if n.differs != "" || !s.Composite() || end.Status == record.Skipped && len(sc.decider.parts[at]) == 0 {
		return sc.leaf(&n)
	}
	return sc.expand(&n)
}

const (
	named   = "named with --from"
	changed = "changed"
)

// node is a step, an instance or a round that is judged.
type node struct {
	at      record.Address
	step    *program.Step
	old     *program.Step // as it was
	key     record.Key    // of an instance and its parts
	level   int           // 0: a step, 1: an instance, 2: a round
	differs string        // why it would not be what it was: its definition, or what it reads; "": it would
}

// leaf judges a node without regard to its parts.
func (sc *scope) leaf(n *node) *verdict {
	end := sc.ends[n.at]
	why := incomplete(end)
	switch {
	case why != "":
		return &verdict{why: why}
	case sc.gone[n.at.String()]:
		return &verdict{why: "its outputs are gone"}
	case n.differs != "" && end.Status == record.Skipped && n.differs != changed:
		return &verdict{why: "was skipped"}
	case n.differs != "":
		return &verdict{why: n.differs}
	case end.Status == record.Succeeded:
		return &verdict{keep: true, same: true}
	}
	again := end.Reason == record.ReasonConditionFalse || end.Reason == record.ReasonUpstreamSkipped
	return &verdict{same: again && !readsRun(n.step), why: "was skipped"}
}

// incomplete returns why a node has no result that could be kept; "" if it succeeded or was skipped.
func incomplete(end *record.StepEnd) string {
	switch end.Status {
	case record.Succeeded, record.Skipped:
		return ""
	case record.Failed:
		return "failed"
	case record.TimedOut:
		return "timed out"
	case record.Cancelled:
		return "was cancelled"
	}
	return "did not end"
}

// readsRun reports whether the step's condition may differ only because the run is another one.
func readsRun(s *program.Step) bool {
	return slices.ContainsFunc(s.When.Refs(), func(ref string) bool { return strings.HasPrefix(ref, "run.") })
}

// difference returns why a step would not be what it was. What a call only passes on is left out: the steps inside are
// compared one by one.
func (sc *scope) difference(s, old *program.Step) string {
	if !sc.unchanged(old, s) {
		return changed
	}
	refs := sc.read(s)
	for _, name := range refs.params {
		if sc.differs[name] {
			if sc.at != "" {
				return "input " + name + " of " + sc.at.String() + " may have another value"
			}
			return "param " + name + " has another value"
		}
	}
	for _, need := range s.Needs {
		if need.Instance == expr.EachKey && s.ForEach != nil && sc.expanded(need.Step) {
			continue // each instance needs another one: see part
		}
		if !refs.passed[need.Step] && !sc.same(need, "") {
			return "depends on " + need.Step
		}
	}
	return ""
}

func (sc *scope) expanded(step string) bool {
	v := sc.verdicts[step]
	return v != nil && v.instances != nil
}

// same reports whether what a need names is the same as in the earlier run. key is the key of the instance that needs it.
func (sc *scope) same(need program.Need, key record.Key) bool {
	v := sc.verdicts[need.Step]
	if v == nil {
		return false
	}
	if v.same || need.Instance == "" || v.instances == nil {
		return v.same
	}
	if need.Instance != expr.EachKey {
		key = record.Key(need.Instance)
	}
	return v.instances[key]
}
