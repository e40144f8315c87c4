package rerun

import (
	"bytes"
	"encoding/json"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// expand judges a node by its parts: instances, rounds, or the steps of the pipeline that it calls.
func (sc *scope) expand(n *node) *verdict {
	switch {
	case n.level < 1 && n.step.ForEach != nil:
		return sc.fan(n)
	case n.level < 2 && n.step.Repeat != nil:
		return sc.loop(n)
	case n.step.Call != nil:
		return sc.call(n)
	}
	return sc.leaf(n)
}

// part judges an instance or a round.
func (sc *scope) part(of *node, at record.Address, level int) *verdict {
	if sc.from[at.String()] {
		return &verdict{why: named}
	}
	n := &node{at: at, step: of.step, old: of.old, key: of.key, level: level}
	if key, ok := at.Key(); ok {
		n.key = key
	}
	passed := sc.read(n.step).passed
	for _, need := range n.step.Needs {
		if need.Instance == expr.EachKey && level == 1 && !passed[need.Step] && !sc.same(need, n.key) {
			n.differs = "depends on " + sc.address(need.Step).Instance(n.key).String()
		}
	}
	if n.differs != "" || sc.ends[at].Status == record.Skipped && len(sc.decider.parts[at]) == 0 {
		return sc.leaf(n)
	}
	return sc.expand(n)
}

func (sc *scope) fan(n *node) *verdict {
	v := &verdict{same: true, instances: map[record.Key]bool{}}
	for _, at := range sc.decider.parts[n.at] {
		if !sc.selected.Has(at) {
			continue
		}
		one := sc.part(n, at, 1)
		key, _ := at.Key()
		v.instances[key] = one.same
		v.same = v.same && one.same
		v.parts = append(v.parts, sc.decisions(at, one)...)
	}
	return sc.whole(n, v)
}

// loop judges rounds. No round is kept after one that is not.
func (sc *scope) loop(n *node) *verdict {
	v := &verdict{same: true}
	for _, at := range sc.decider.parts[n.at] {
		one := &verdict{why: "an earlier round runs"}
		if v.same {
			one = sc.part(n, at, 2)
		}
		v.same = v.same && one.same
		v.parts = append(v.parts, sc.decisions(at, one)...)
	}
	return sc.whole(n, v)
}

// call judges the steps of the pipeline that the node calls.
func (sc *scope) call(n *node) *verdict {
	was, now := sc.old.CalledNamed(n.old.Call.Pipeline), sc.new.CalledNamed(n.step.Call.Pipeline)
	if was == nil || now == nil {
		return &verdict{why: changed}
	}
	inner := sc.scope(n.at, stepsOf(sc.calledWas, was), stepsOf(sc.called, now), sc.given(n, was, now))
	v := &verdict{same: true}
	for i := range now.Steps {
		if !sc.selected.Has(n.at.Child(now.Steps[i].Name)) {
			continue
		}
		one := inner.judge(&now.Steps[i])
		v.same = v.same && one.same
		v.parts = append(v.parts, sc.decisions(n.at.Child(now.Steps[i].Name), one)...)
	}
	complete := v.same && sc.ends[n.at].Status == record.Succeeded
	for i := range now.Finally {
		if !sc.selected.Has(n.at.Child(now.Finally[i].Name)) {
			continue
		}
		one := &verdict{why: finallyRuns}
		if complete {
			one = inner.judge(&now.Finally[i])
		}
		v.same = v.same && one.same
		v.parts = append(v.parts, sc.decisions(n.at.Child(now.Finally[i].Name), one)...)
	}
	if len(was.Steps)+len(was.Finally) != len(now.Steps)+len(now.Finally) || !equal(was.Outputs, now.Outputs) || !equal(n.old.Outputs, n.step.Outputs) {
		v.same, v.why = false, changed
	}
	return sc.whole(n, v)
}

// whole completes the verdict about a node whose parts have been judged.
func (sc *scope) whole(n *node, v *verdict) *verdict {
	end := sc.ends[n.at]
	why := incomplete(end)
	if v.same && end.Status == record.Succeeded {
		return &verdict{keep: true, same: true, instances: v.instances}
	}
	v.same = false
	switch {
	case why != "":
		v.why = why
	case end.Status == record.Skipped:
		v.why = "was skipped"
	case v.why == "":
		v.why = "a part of it runs"
	}
	kept := false
	for i := range v.parts {
		kept = kept || v.parts[i].Keep
	}
	if !kept && end.Status != record.Succeeded {
		v.parts = nil // it runs as it did
	}
	return v
}

// given returns the params of a called pipeline that have other values than in the earlier run.
func (sc *scope) given(n *node, was, now *program.Called) map[string]bool {
	out := map[string]bool{}
	old := map[string]*program.Input{}
	for i := range n.old.Inputs {
		old[n.old.Inputs[i].Name] = &n.old.Inputs[i]
	}
	for i := range n.step.Inputs {
		in := &n.step.Inputs[i]
		differs := !equal(old[in.Name], in)
		for _, ref := range in.Value.Refs() {
			differs = differs || sc.refDiffers(n, ref)
		}
		out[in.Name] = differs
	}
	for _, in := range n.old.Inputs { // it is not given any more, so its default holds
		if _, ok := out[in.Name]; !ok {
			out[in.Name] = true
		}
	}
	before := map[string]*program.Param{}
	for i := range was.Params {
		before[was.Params[i].Name] = &was.Params[i]
	}
	for i := range now.Params {
		p := now.Params[i]
		if q := before[p.Name]; q == nil || q.Type != p.Type || !bytes.Equal(q.Default, p.Default) {
			out[p.Name] = true
		}
	}
	return out
}

// refDiffers reports whether a reference of an input may have another value than in the earlier run.
func (sc *scope) refDiffers(n *node, ref string) bool {
	if name, ok := paramOf(ref); ok {
		return sc.differs[name]
	}
	of, ok := expr.StepRef(ref)
	if !ok {
		return false
	}
	for _, need := range n.step.Needs {
		if need.Step == of.Step && !sc.same(need, n.key) {
			return true
		}
	}
	return false
}

// stepsOf returns the steps of a called pipeline by name. It fills the cache.
func stepsOf(cache map[string]map[string]*program.Step, c *program.Called) map[string]*program.Step {
	if out, ok := cache[c.Name]; ok {
		return out
	}
	out := make(map[string]*program.Step, len(c.Steps)+len(c.Finally))
	for _, steps := range [][]program.Step{c.Steps, c.Finally} {
		for i := range steps {
			out[steps[i].Name] = &steps[i]
		}
	}
	cache[c.Name] = out
	return out
}

// equal compares two parts of programs as their JSON.
func equal(a, b any) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}
