package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
}

// element is what an instance is made for.
type element struct {
	key   cty.Value
	value cty.Value
	datum *record.Datum
}

// expand makes the instances of a step.
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
		x.life.end(i, record.Failed, record.ReasonTooMany, fmt.Sprintf("for_each has %d elements, and max_instances is %d", len(elements), most))
		return
	}
	x.begin(i)
	limits := n.limits
	if each.MaxParallel > 0 {
		limits = append([]int{x.sched.newLimit(each.MaxParallel)}, limits...)
	}
	if role := kindOf(n.step, true, false); role != process {
		limits = limits[:len(limits)-len(n.limits)] // it is its attempts that take the places of others
	}
	n.byKey = make(map[string]int, len(elements))
	n.children = make([]int, 0, len(elements))
	n.openChildren = len(elements)
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
	}
	for _, w := range x.graph.nodes[i].instanceWaiters {
		if child, ok := x.graph.nodes[i].byKey[w.key]; ok {
			x.graph.nodes[child].dependants = append(x.graph.nodes[child].dependants, w.node)
		} else {
			x.life.released(w.node) // reading it will tell
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
	if len(children) == 0 {
		x.life.end(i, record.Succeeded, "", "")
		return
	}
	for _, child := range children {
		x.arrive(child)
	}
}

// arrive takes over what is kept of a node that was just made, or decides whether it runs.
func (x *expansion) arrive(i int) {
	n := &x.graph.nodes[i]
	if e, ok := x.kept[n.addr]; ok && (n.kind == process || n.kind == approval) && n.phase == pending && usable(n, e.Result) {
		n.end.Kept = true
		x.life.take(i, e)
		return
	}
	x.life.decide(i)
}

// begin tells that a step with steps of its own has started.
func (x *expansion) begin(i int) {
	n := &x.graph.nodes[i]
	x.graph.move(n, expanded)
	n.end.StartedAt = x.out.now
	x.out.notify(record.Event{Type: record.StepStarted, Step: n.addr})
}

// elements evaluates for_each. A map's come in the order of their keys, and so do a set's, which are its keys too.
func (ev *evaluator) elements(n *node) ([]element, *fault) {
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
		return bad(fmt.Errorf("the value is null"))
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
	vt := v.Type()
	if !vt.IsListType() && !vt.IsTupleType() && !vt.IsSetType() && !vt.IsMapType() && !vt.IsObjectType() {
		return bad(fmt.Errorf("%s has no elements", types.Phrase(vt)))
	}
	recorded := r.read
	var out []element
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		one := element{key: k, value: e}
		switch {
		case vt.IsSetType() && e.Type() != cty.String:
			return bad(fmt.Errorf("the elements of a set are its keys, and so are strings"))
		case vt.IsSetType():
			one.key = e
		}
		if recorded != nil && len(recorded.Elems) == v.LengthInt() && each.Value.Ref != "" {
			one.datum = &recorded.Elems[len(out)]
		}
		out = append(out, one)
	}
	return out, nil
}

// openCall makes the steps of the pipeline that a node calls.
func (x *expansion) openCall(i int) {
	n := &x.graph.nodes[i]
	c := x.eval.program.CalledNamed(n.step.Call.Pipeline)
	params, data, f := x.eval.arguments(n, c)
	switch {
	case f != nil && f.skip:
		x.life.skip(i, record.ReasonUpstreamSkipped, f.message, f.message)
		x.sched.release(i)
		return
	case f == nil && len(x.graph.nodes)+len(c.Steps)+len(c.Finally) > maxNodes:
		f = &fault{reason: record.ReasonTooMany, message: "the run has too many steps"}
		fallthrough
	case f != nil:
		x.life.end(i, record.Failed, f.reason, f.message)
		x.sched.release(i)
		return
	}
	x.begin(i)
	limits := x.graph.frames[n.frame].limits
	if c.MaxParallel > 0 {
		limits = append([]int{x.sched.newLimit(c.MaxParallel)}, limits...)
	}
	holds := x.graph.frames[n.frame].holds
	if n.step.Concurrency != nil {
		holds = append(slices.Clip(holds), x.graph.nodes[i].hold())
	}
	inner := x.graph.openFrame(frame{
		call: i, name: c.Name, steps: [2][]program.Step{c.Steps, c.Finally}, outputs: c.Outputs, onFailure: c.OnFailure,
		timeout: c.Timeout, params: params, data: data, limits: limits, holds: holds,
	}, record.Address(n.addr), n.position)
	x.graph.nodes[i].inner = inner
	if t := c.Timeout.D(); t > 0 {
		x.out.act(SetTimer{Name: runTimer + "/" + x.graph.nodes[i].addr, At: x.out.now.Add(t)})
	}
	x.life.frameChecks = append(x.life.frameChecks, inner)
	for _, group := range x.graph.frames[inner].nodes {
		for _, j := range group {
			x.arrive(j)
		}
	}
}

// arguments are the params of a call.
func (ev *evaluator) arguments(n *node, c *program.Called) (map[string]cty.Value, map[string]*record.Datum, *fault) {
	params, data := map[string]cty.Value{}, map[string]*record.Datum{}
	given := map[string]*record.Datum{}
	for i := range n.step.Inputs {
		d, f := ev.input(n, &n.step.Inputs[i])
		if f != nil {
			return nil, nil, f
		}
		given[d.Name] = &d
	}
	for i := range c.Params {
		p := &c.Params[i]
		t := ev.types[p.Type]
		d := given[p.Name]
		var v cty.Value
		var err error
		switch {
		case d != nil && string(d.Value) == "null":
			v = cty.NullVal(t)
		case d != nil:
			if v, err = decode(d, t); err == nil {
				data[p.Name] = d
			}
		case p.Default != nil:
			v, err = constant(p.Default, t)
		default:
			err = fmt.Errorf("no value is given")
		}
		if err != nil {
			return nil, nil, &fault{reason: record.ReasonInputInvalid, message: fmt.Sprintf("param %q of the pipeline called: %s", p.Name, err)}
		}
		params[p.Name] = v
	}
	return params, data, nil
}

// openLoop begins the rounds of a node.
func (x *expansion) openLoop(i int) {
	x.begin(i)
	x.openRound(i, nil)
}

func (x *expansion) openRound(i int, carried map[string]cty.Value) {
	n := &x.graph.nodes[i]
	number := len(n.children) + 1
	limits := x.graph.frames[n.frame].limits
	role := kindOf(n.step, true, true)
	if role == call {
		limits = nil
	}
	n.openChildren++
	child := x.graph.add(node{
		step: n.step, kind: role, addr: record.Address(n.addr).RoundAt(number).String(), frame: n.frame, section: n.section, parent: i,
		position: append(slices.Clip(n.position), int32(number)), limits: limits, phase: pending, key: n.key, item: n.item, element: n.element, carried: carried,
	})
	n = &x.graph.nodes[i]
	n.children = append(n.children, child)
	x.arrive(child)
}

// childEnded is told once for each instance and round that has ended.
func (x *expansion) childEnded(i, child int) {
	n := &x.graph.nodes[i]
	n.openChildren--
	if n.kind == loop {
		x.roundEnded(i, child)
	} else if n.openChildren == 0 {
		x.fanEnded(i)
	}
}

// fanEnded ends a step whose instances have all ended: as the worst of them.
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
		n.rootCause = m.rootCause
	}
	x.finishComposite(i, worst, m.end.Reason, message)
}

// leftOut says whether an instance was skipped by its own condition: it counts as if it had never been made.
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

// roundEnded asks whether there is another round.
func (x *expansion) roundEnded(i, child int) {
	n, m := &x.graph.nodes[i], &x.graph.nodes[child]
	repeat := n.step.Repeat
	n.end.Outputs, n.end.ExitCode = m.end.Outputs, m.end.ExitCode
	done := len(n.children) >= repeat.Max
	if m.end.Status != record.Succeeded {
		if m.end.Status == record.Skipped {
			n.rootCause = m.rootCause
		}
		message := m.end.Message
		if len(n.children) > 1 {
			message = strings.TrimSuffix(fmt.Sprintf("in round %d: %s", len(n.children), message), ": ")
		}
		x.finishComposite(i, m.end.Status, m.end.Reason, message)
		return
	}
	own, err := x.eval.roundOutputs(m)
	if err == nil && repeat.Until != nil && !done {
		r := reader{ev: x.eval, node: m, value: repeat.Until, own: own}
		if done, err = r.bool(); err != nil {
			err = fmt.Errorf("repeat.until: %w%s", err, m.leaves(repeat.Until))
		}
	}
	if err != nil {
		x.finishComposite(i, record.Failed, record.ReasonExpression, err.Error())
		return
	}
	why := n.stopping
	if why == "" {
		why = x.graph.frames[n.frame].halted[n.section]
	}
	switch {
	case done:
		x.finishComposite(i, record.Succeeded, "", "")
	case why != "":
		x.finishComposite(i, record.Cancelled, record.ReasonCancelled, why)
	case len(x.graph.nodes) >= maxNodes:
		x.finishComposite(i, record.Failed, record.ReasonTooMany, "the run has too many steps")
	default:
		carried := map[string]cty.Value{}
		for k := range repeat.Carry {
			r := reader{ev: x.eval, node: m, value: &repeat.Carry[k].Value, own: own}
			v, err := r.eval()
			if left := m.leaves(&repeat.Carry[k].Value); err == nil && v.IsNull() && left != "" && !hasDefault(n.step, repeat.Carry[k].Name) {
				err = errors.New("the value is null" + left)
			}
			if err != nil {
				x.finishComposite(i, record.Failed, record.ReasonExpression, fmt.Sprintf("repeat.carry %q: %s", repeat.Carry[k].Name, err))
				return
			}
			carried[repeat.Carry[k].Name] = v
		}
		x.openRound(i, carried)
	}
}

// roundOutputs are what until and carry see of a round.
func (ev *evaluator) roundOutputs(m *node) (map[string]cty.Value, error) {
	own := map[string]cty.Value{}
	for i := range m.step.Outputs {
		out := &m.step.Outputs[i]
		if m.datum(out.Name) == nil {
			own["output."+out.Name] = cty.NullVal(ev.types[out.Type]) // left out
			if out.Default != nil {
				v, err := constant(out.Default, ev.types[out.Type])
				if err != nil {
					return nil, err
				}
				own["output."+out.Name] = v
			}
			continue
		}
		v, err := m.value(i, ev.types[out.Type])
		if err != nil {
			return nil, err
		}
		own["output."+out.Name] = v
	}
	for i := range m.spec.inputs() {
		d := &m.spec.Inputs[i]
		if t := ev.types[d.Type]; d.Value != nil && !types.HasArtifact(t) {
			if v, err := constant(d.Value, t); err == nil {
				own["input."+d.Name] = v
			}
		}
	}
	return own, nil
}

// hasDefault says whether an input has a value for where its own is null.
func hasDefault(s *program.Step, input string) bool {
	return slices.ContainsFunc(s.Inputs, func(in program.Input) bool { return in.Name == input && in.Default != nil })
}

// leaves says, behind an error of an expression that reads a round, which output the round has left out.
func (n *node) leaves(v *program.Value) string {
	for _, ref := range v.Refs() {
		if name, ok := strings.CutPrefix(ref, "output."); ok && n.datum(name) == nil {
			return fmt.Sprintf(" (%s has left out its output %s)", n.addr, name)
		}
	}
	return ""
}

func (sp *Spec) inputs() []record.Datum {
	if sp == nil {
		return nil
	}
	return sp.Inputs
}

// callEnded ends a node whose pipeline has ended.
func (x *expansion) callEnded(sc *frame) {
	i := sc.call
	status, reason, message := x.graph.outcome(sc)
	outputs, bad := x.eval.results(sc)
	if bad != "" && status == record.Succeeded {
		status, reason, message = record.Failed, record.ReasonOutputExpression, bad
	}
	x.graph.nodes[i].end.Outputs = outputs
	if status != record.Succeeded {
		x.graph.nodes[i].end.Outputs = nil // those of a failure are never visible
	}
	x.finishComposite(i, status, reason, message)
}
