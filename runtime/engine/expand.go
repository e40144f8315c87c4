package engine

import (
	"fmt"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// expansion adds nodes to the graph while the run proceeds: instances, rounds and the steps of called pipelines. It ends
// the node that they are part of when they have ended.
type expansion struct {
	rooms
	life *lifecycle
	kept map[string]record.Event // results for nodes that do not exist yet, by address

	timeouts map[string]int // frames of called pipelines, by the names of the timers of their timeouts
}

// element is an element of for_each, for which an instance is created.
type element struct {
	key   cty.Value
	value cty.Value
	datum *record.Datum
}

// expand creates the instances of a step.
func (x *expansion) expand(i int) {
	n := &x.graph.nodes[i]
	each := n.step.ForEach
	elements, f := x.eval.elements(n)
	most := each.MaxInstances
	if most <= 0 {
		most = program.MaxInstances
	}
	switch {
	case f != nil && f.skip:
		x.life.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
		return
	case f != nil:
		x.life.end(i, record.Failed, f.reason, f.message)
		return
	case len(elements) > most || len(x.graph.nodes)+len(elements) > maxNodes:
		x.life.end(i, record.Failed, record.ReasonTooMany, fmt.Sprintf("for_each has %d elements, but max_instances is %d", len(elements), most))
		return
	}
	x.begin(i)
	limits := n.limits
	if each.MaxParallel > 0 {
		limits = append([]int{x.sched.newLimit(each.MaxParallel)}, limits...)
	}
	if role := kindOf(n.step, true, false); role != process {
		limits = limits[:len(limits)-len(n.limits)] // only attempts count against the limits of others
	}
	n.byKey = make(map[string]int, len(elements))
	n.children = make([]int, 0, len(elements))
	n.openChildren = len(elements)
	taken := 0
	for k, e := range elements {
		n := &x.graph.nodes[i]
		key := expr.Key(e.key)
		instance := record.Key(key)
		if e.key.Type() == cty.String {
			instance = record.StringKey(key)
		}
		child := x.graph.add(node{
			step: n.step, kind: kindOf(n.step, true, false), addr: record.Address(n.addr).Instance(instance).String(), frame: n.frame, section: n.section, parent: i,
			position: append(slices.Clip(n.position), int32(k)), limits: limits, phase: pending, key: e.key, item: e.value, element: e.datum,
		})
		n = &x.graph.nodes[i]
		n.children = append(n.children, child)
		n.byKey[key] = child
		if c := &x.graph.nodes[child]; x.graph.selected.Has(record.Address(c.addr)) {
			taken++
		} else {
			c.phase = absent
			n.openChildren--
		}
	}
	for _, w := range x.graph.nodes[i].instanceWaiters {
		if child, ok := x.graph.nodes[i].instance(w.key); ok {
			x.graph.nodes[child].dependants = append(x.graph.nodes[child].dependants, w.node)
		} else {
			x.life.released(w.node) // evaluating the reference reports the missing instance
		}
	}
	x.graph.nodes[i].instanceWaiters = nil
	children := x.graph.nodes[i].children
	for _, child := range children {
		c := &x.graph.nodes[child]
		for _, need := range c.step.Needs {
			if need.Instance == expr.EachKey {
				x.graph.await(child, x.graph.frames[c.frame].byName[need.Step], need.Instance)
			}
		}
	}
	switch {
	case len(children) == 0 && x.graph.selected.Whole(record.Address(x.graph.nodes[i].addr)):
		x.life.end(i, record.Succeeded, "", "")
		return
	case taken == 0:
		x.graph.nodes[i].children, x.graph.nodes[i].byKey = nil, nil
		x.life.end(i, record.Failed, record.ReasonExpression, "for_each has none of the instances that were chosen")
		return
	}
	for _, child := range children {
		x.arrive(child)
	}
}

// arrive uses the kept result of a node that was just created, or decides whether the node runs.
func (x *expansion) arrive(i int) {
	n := &x.graph.nodes[i]
	if e, ok := x.kept[n.addr]; ok && !x.graph.frames[n.frame].again && (n.kind == process || n.kind == approval) && n.phase == pending && usable(n, e.Result) {
		n.end.Kept = true
		x.life.take(i, e)
		return
	}
	x.life.decide(i)
}

// begin reports that a node with nodes of its own has started.
func (x *expansion) begin(i int) {
	n := &x.graph.nodes[i]
	x.graph.move(n, expanded)
	n.end.StartedAt = x.out.now
	x.out.notify(record.Event{Type: record.StepStarted, Step: n.addr, Again: n.again})
}

// elements evaluates for_each. The elements of a map are in the order of their keys. The elements of a set are their own keys.
func (ev *evaluator) elements(n *node) (_ []element, f *fault) {
	defer failAlone(&f, "for_each")
	each := n.step.ForEach
	bad := func(err error) ([]element, *fault) {
		return nil, &fault{reason: record.ReasonExpression, message: "for_each: " + err.Error()}
	}
	r := reader{ev: ev, node: n, value: &each.Value}
	v, err := r.eval()
	switch {
	case err != nil && r.leftOut != "":
		return nil, &fault{message: r.leftOut, skip: true}
	case err != nil:
		return bad(err)
	case v.IsNull() && r.missing != "":
		return bad(fmt.Errorf("the value is null because %s", r.missing))
	case v.IsNull():
		return bad(fmt.Errorf("%s is null, but it must be a list, a set or a map", each.Value.Text()))
	}
	t := ev.types[each.Type]
	if t == cty.DynamicPseudoType {
		if t = types.Widen(v); t.IsTupleType() {
			t = cty.List(cty.DynamicPseudoType)
		} else if t.IsObjectType() {
			t = cty.Map(cty.DynamicPseudoType)
		}
	}
	if !types.HasArtifact(v.Type()) || !v.Type().IsCapsuleType() {
		if v, err = types.Convert(v, t); err != nil {
			return bad(err)
		}
	}
	v, part := types.Unmark(v)
	vt := v.Type()
	if !vt.IsListType() && !vt.IsTupleType() && !vt.IsSetType() && !vt.IsMapType() && !vt.IsObjectType() {
		return bad(fmt.Errorf("%s has no elements", types.Phrase(vt)))
	}
	var elems func(i int, k cty.Value) *record.Datum
	if r.read != nil && len(r.read.Elems) == v.LengthInt() && each.Value.Ref != "" {
		elems = elementsOf(r.read, vt.IsMapType())
	}
	var out []element
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		one := element{key: k, value: part(e)} // an index is not a part of the list
		switch {
		case vt.IsSetType() && e.Type() != cty.String:
			return bad(fmt.Errorf("the elements of a set are its keys, and must be strings"))
		case vt.IsSetType():
			one.key = one.value
		case vt.IsMapType() || vt.IsObjectType():
			one.key = part(k)
		}
		if elems != nil {
			one.datum = elems(len(out), one.key)
		}
		out = append(out, one)
	}
	return out, nil
}

// elementsOf returns a function that finds the recorded element of a list or a map: by its index, or by its key.
func elementsOf(d *record.Datum, keyed bool) func(i int, key cty.Value) *record.Datum {
	if !keyed {
		return func(i int, _ cty.Value) *record.Datum { return &d.Elems[i] }
	}
	byName := make(map[string]*record.Datum, len(d.Elems))
	for i := range d.Elems {
		byName[d.Elems[i].Name] = &d.Elems[i]
	}
	return func(_ int, key cty.Value) *record.Datum { return byName[types.Text(key)] }
}

// childEnded is called once for each instance and round that has ended.
func (x *expansion) childEnded(i, child int) {
	n := &x.graph.nodes[i]
	n.openChildren--
	if n.kind == loop {
		x.roundEnded(i, child)
	} else if n.openChildren == 0 {
		x.fanEnded(i)
	}
}

// fanEnded ends a step whose instances have all ended, with the worst of their statuses.
func (x *expansion) fanEnded(i int) {
	n := &x.graph.nodes[i]
	worst, first, count := record.Succeeded, -1, 0
	rank := map[record.Status]int{record.Succeeded: 0, record.Skipped: 1, record.Cancelled: 2, record.TimedOut: 3, record.Failed: 4}
	for _, c := range n.children {
		m := &x.graph.nodes[c]
		status := m.end.Status
		if m.leftOut() {
			status = record.Succeeded
		}
		switch {
		case rank[status] > rank[worst]:
			worst, first, count = status, c, 1
		case status == worst && worst != record.Succeeded:
			count++
		}
	}
	if worst == record.Succeeded {
		x.finishComposite(i, worst, "", "")
		return
	}
	m := &x.graph.nodes[first]
	message := m.outcome()
	if m.end.Message != "" && worst != record.Skipped {
		message += ": " + m.end.Message
	}
	if count > 1 {
		message += fmt.Sprintf("; and %d more of %d", count-1, len(n.children))
	}
	if worst == record.Skipped {
		n.rootCause, n.end.Because = m.rootCause, m.end.Because
	}
	x.finishComposite(i, worst, m.end.Reason, message)
}

// leftOut reports whether an instance was skipped by its own condition. Its step then ends as if it did not exist.
func (n *node) leftOut() bool {
	return n.end.Status == record.Skipped && n.end.Reason == record.ReasonConditionFalse
}

// finishComposite ends a node that has nodes of its own.
func (x *expansion) finishComposite(i int, status record.Status, reason, message string) {
	if x.graph.nodes[i].kind != fan && x.graph.nodes[i].phase == expanded {
		x.life.end(i, status, reason, message)
		x.sched.release(i)
		return
	}
	x.life.end(i, status, reason, message)
}
