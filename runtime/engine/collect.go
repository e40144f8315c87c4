package engine

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// collection is the value of [*] for one output of a step. It is built once for all readers, and decoded for the first that computes
// with it.
type collection struct {
	elems []collected
	datum *record.Datum // nil: it is too large to be passed on
	value cty.Value
	err   error
}

// collected is an output of an instance.
type collected struct {
	node  int
	datum *record.Datum
}

// giveCollection returns the value of a collection like give.
func (r *reader) giveCollection(c *collection, output int, elem cty.Type) (cty.Value, error) {
	r.read, r.readType = c.datum, typeOf(c.datum)
	if r.passing && c.datum != nil && c.datum.Value != nil {
		r.passed = true
		return cty.DynamicVal, nil
	}
	if c.value != cty.NilVal || c.err != nil {
		return c.value, c.err
	}
	values := make([]cty.Value, 0, len(c.elems))
	for _, one := range c.elems {
		v, err := r.ev.graph.nodes[one.node].collected(one.datum, output, elem)
		if err != nil {
			c.err = err
			return cty.NilVal, err
		}
		values = append(values, v)
	}
	c.value = types.Large(cty.TupleVal(values))
	return c.value, nil
}

// collectable reports whether the outputs of an instance are collected. Those of instances that did not succeed are not,
// if the reader runs at all.
func (n *node) collectable() bool { return n.end.Status == record.Succeeded }

// collect returns an output of all instances, or how they ended, as a list in their order.
func (r *reader) collect(ref string, m *node, name string) (cty.Value, error) {
	for _, end := range ends {
		if end == name {
			return r.collectEnds(ref, m, name)
		}
	}
	at := -1
	for i := range m.step.Outputs {
		if m.step.Outputs[i].Name == name {
			at = i
		}
	}
	if at < 0 {
		return cty.NilVal, fmt.Errorf("%s does not exist", ref)
	}
	if c := m.collections[name]; c != nil {
		return r.giveCollection(c, at, r.ev.types[m.step.Outputs[at].Type])
	}
	if m.byKey == nil || !met("", m) && !r.ev.graph.allIn(m) {
		r.missing, r.failed = m.outcome(), r.failed || m.status() != record.Skipped
		if r.isSoft(ref) {
			return cty.NullVal(cty.List(r.ev.types[m.step.Outputs[at].Type])), nil
		}
		return cty.NilVal, fmt.Errorf("%s can't be read: %s", ref, r.missing)
	}
	c := &collection{value: cty.NilVal}
	out := &m.step.Outputs[at]
	elem := r.ev.types[out.Type]
	c.datum = &record.Datum{Name: name, Type: "list(" + out.Type + ")"}
	var parts []byte
	for _, child := range m.children {
		n := &r.ev.graph.nodes[child]
		if !n.collectable() {
			continue
		}
		d := n.datum(name)
		if d == nil && out.Optional {
			if d = standIn(out); d == nil {
				continue
			}
		}
		if d == nil && n.step.Call != nil {
			r.missing = n.addr + " did not write its output " + name
			r.leftOut = r.missing
			return cty.NilVal, fmt.Errorf("%s can't be read: %s", ref, r.missing)
		}
		c.elems = append(c.elems, collected{child, d})
		if types.HasArtifact(elem) {
			e := *d
			e.Name = ""
			c.datum.Elems = append(c.datum.Elems, e)
			continue
		}
		if len(parts) > 0 { // reuse the wrapper's JSON: encoding exact numbers again is expensive
			parts = append(parts, ',')
		}
		parts = append(parts, d.Value...)
	}
	if !types.HasArtifact(elem) {
		c.datum.Value = append(append([]byte{'['}, parts...), ']')
	}
	if len(c.datum.Value) > types.MaxValue {
		c.datum = nil // it can be read in parts, but is too large to be passed on
	}
	if m.collections == nil {
		m.collections = map[string]*collection{}
	}
	m.collections[name] = c
	return r.giveCollection(c, at, elem)
}

// standIn returns the default of an output if a list can hold it, else nil. An instance without the output is then
// not in the list.
func standIn(out *program.Output) *record.Datum {
	if out.Default == nil || string(out.Default) == "null" {
		return nil
	}
	return &record.Datum{Name: out.Name, Type: out.Type, Value: out.Default}
}

// collected returns output i of an instance. d is the instance's own datum or the default.
func (n *node) collected(d *record.Datum, i int, t cty.Type) (cty.Value, error) {
	if d != nil && n.datum(d.Name) == nil {
		return decode(d, t)
	}
	return n.value(i, t)
}

func typeOf(d *record.Datum) string {
	if d == nil {
		return ""
	}
	return d.Type
}

// allIn reports whether all instances of m succeeded, apart from those whose own condition was false.
func (g *graph) allIn(m *node) bool {
	for _, c := range m.children {
		if n := &g.nodes[c]; n.end.Status != record.Succeeded && !n.leftOut() {
			return false
		}
	}
	return true
}

// collectEnds returns how each instance ended.
func (r *reader) collectEnds(ref string, m *node, name string) (cty.Value, error) {
	values := make([]cty.Value, 0, len(m.children))
	for _, child := range m.children {
		v, err := r.stepAttr(ref, &r.ev.graph.nodes[child], name)
		if err != nil {
			return cty.NilVal, err
		}
		values = append(values, v)
	}
	r.read = nil
	return cty.TupleVal(values), nil
}

// whole returns all outputs of all instances: a list of objects, or a map of them by key. If asList is set it is always a list.
func (r *reader) whole(ref string, m *node, asList bool) (cty.Value, error) {
	if m.byKey == nil || !met("", m) && !r.ev.graph.allIn(m) {
		r.missing, r.failed = m.outcome(), r.failed || m.status() != record.Skipped
		if r.isSoft(ref) {
			return cty.NullVal(cty.DynamicPseudoType), nil
		}
		return cty.NilVal, fmt.Errorf("%s can't be read: %s", ref, r.missing)
	}
	var list []cty.Value
	byKey := map[string]cty.Value{}
	numbers := true
	for _, child := range m.children {
		n := &r.ev.graph.nodes[child]
		numbers = numbers && n.key.Type() == cty.Number
		if !n.collectable() {
			continue
		}
		v, err := r.object(ref, n)
		if err != nil {
			return cty.NilVal, err
		}
		list, byKey[expr.Key(n.key)] = append(list, v), v
	}
	r.read = nil
	t := r.ev.types[m.step.ForEach.Type]
	keyed := t.IsMapType() || t.IsSetType() || t.IsObjectType() || !numbers
	if asList || !keyed {
		return cty.TupleVal(list), nil
	}
	return cty.ObjectVal(byKey), nil
}

// object returns all outputs of a node.
func (r *reader) object(ref string, n *node) (cty.Value, error) {
	attrs := map[string]cty.Value{}
	passing := r.passing
	r.passing = false // the object is new
	defer func() { r.passing = passing }()
	for i := range n.step.Outputs {
		out := &n.step.Outputs[i]
		if out.Optional && out.Default == nil && n.end.Status == record.Succeeded && n.datum(out.Name) == nil {
			attrs[out.Name] = cty.NullVal(r.ev.types[out.Type]) // null, since no reference names it
			continue
		}
		v, err := r.output(ref, n, i)
		if err != nil {
			return cty.NilVal, err
		}
		attrs[out.Name] = v
	}
	r.read = nil
	return cty.ObjectVal(attrs), nil
}
