package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/panics"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// reader evaluates one value of the program for one node, or for the outputs of a frame.
type reader struct {
	ev       *evaluator
	node     *node  // nil: for the outputs of frame
	frame    *frame // nil: that of node
	value    *program.Value
	soft     bool               // treat every reference as soft
	own      map[string]*source // what only this value can read: attempt, input.x, output.y
	passing  bool               // the value is only passed on: see give
	passed   bool               // a value was passed on
	read     *record.Datum      // the last datum that was read, if a reference has one
	readType string             // its declared type
	missing  string             // why a reference is null or could not be read
	leftOut  string             // why a reference could not be read, if an output was omitted
	failed   bool               // a reference names a step that failed, and was not only skipped
}

// eval evaluates the value. It turns a panic of the evaluator, which is large and not ours, into an error of the expression, so that
// it does not end other runs.
func (r *reader) eval() (v cty.Value, err error) {
	defer func() {
		if recover() != nil {
			v, err = cty.NilVal, fmt.Errorf("%s can't be evaluated: %s", r.value.Text(), panics.Message(panics.At(), "it"))
		}
	}()
	return r.value.Eval(r.lookup)
}

func (r *reader) isSoft(ref string) bool {
	return r.soft || r.value.Soft || r.value.Expr != nil && slices.Contains(r.value.Expr.Soft, ref)
}

func (r *reader) frameOf() *frame {
	if r.frame != nil {
		return r.frame
	}
	return &r.ev.graph.frames[r.node.frame]
}

func (r *reader) lookup(ref string) (cty.Value, error) {
	if s, ok := r.own[ref]; ok {
		return r.give(s)
	}
	root, rest, _ := strings.Cut(ref, ".")
	switch root {
	case "param":
		if s, ok := r.frameOf().params[rest]; ok {
			v, err := r.give(s)
			if err != nil {
				return v, fmt.Errorf("%s: %w", ref, err)
			}
			return v, nil
		}
	case program.LastSuccessRoot:
		if l, ok := r.ev.earlier[ref]; ok {
			return r.earlierValue(l)
		}
	case "run":
		if v, ok := r.runAttr(rest); ok {
			return v, nil
		}
	case "each":
		switch {
		case r.node == nil || r.node.key == cty.NilVal:
		case rest == "key":
			return r.node.key, nil
		case rest == "value":
			if d := r.node.element; d != nil {
				r.read, r.readType = d, d.Type
			}
			return r.node.item, nil
		}
	case "step":
		if parts, ok := expr.StepRef(ref); ok {
			if i, ok := r.frameOf().byName[parts.Step]; ok {
				return r.step(ref, parts, &r.ev.graph.nodes[i])
			}
		}
	}
	return cty.NilVal, fmt.Errorf("%s can't be read here", ref)
}

// step reads what a reference to a step names.
func (r *reader) step(ref string, parts expr.Ref, m *node) (cty.Value, error) {
	if m.phase != ended && m.phase != absent && (parts.Instance == "" || parts.Instance == expr.All || m.kind != fan) {
		return cty.NilVal, fmt.Errorf("%s can't be read before %s has ended", ref, m.addr)
	}
	switch {
	case parts.Instance == "" && parts.Attr != "" && (m.kind != fan || slices.Contains(ends, parts.Attr)):
		return r.stepAttr(ref, m, parts.Attr)
	case m.step.ForEach == nil:
		return cty.NilVal, fmt.Errorf("%s can't be read: %s has no for_each", ref, m.addr)
	case parts.Instance == expr.All && parts.Attr != "":
		return r.collect(ref, m, parts.Attr)
	case parts.Instance == expr.All || parts.Instance == "" && parts.Attr == "":
		return r.whole(ref, m, parts.Instance == expr.All)
	}
	if m.byKey == nil { // m ended before it had instances
		return r.absent(ref, m, parts.Attr)
	}
	key := record.Key(parts.Instance).Text()
	if parts.Instance == expr.EachKey {
		if r.node == nil || r.node.key == cty.NilVal {
			return cty.NilVal, fmt.Errorf("%s can't be read here", ref)
		}
		key = expr.Key(r.node.key)
	}
	child, ok := m.instance(key)
	if !ok {
		return cty.NilVal, fmt.Errorf("%s can't be read: %s has no instance %q", ref, m.addr, key)
	}
	if m = &r.ev.graph.nodes[child]; m.phase != ended {
		return cty.NilVal, fmt.Errorf("%s can't be read before %s has ended", ref, m.addr)
	}
	if parts.Attr == "" {
		return r.object(ref, m)
	}
	return r.stepAttr(ref, m, parts.Attr)
}

// absent returns the value of an instance's output if there are no instances.
func (r *reader) absent(ref string, m *node, name string) (cty.Value, error) {
	if slices.Contains(ends, name) {
		return r.stepAttr(ref, m, name)
	}
	for i := range m.step.Outputs {
		if m.step.Outputs[i].Name == name {
			return r.output(ref, m, i)
		}
	}
	return cty.NilVal, fmt.Errorf("%s does not exist", ref)
}

func (r *reader) runAttr(name string) (cty.Value, bool) {
	switch {
	case name == "name":
		return cty.StringVal(r.ev.run.Name), true
	case name == "scheduled_at" && r.ev.run.ScheduledAt == nil: // no schedule started the run
		return cty.StringVal(r.ev.run.CreatedAt.UTC().Format(time.RFC3339)), true
	case name == "scheduled_at":
		return cty.StringVal(r.ev.run.ScheduledAt.Format(time.RFC3339)), true
	case name == "status" && r.node != nil && r.node.section == 1:
		status, _, _ := r.ev.graph.outcome(r.frameOf())
		return cty.StringVal(string(status)), true
	}
	return cty.NilVal, false
}

// ends are the attributes of every node that has ended, in addition to its outputs.
var ends = []string{"status", "exit_code", "reason", "message"}

func (r *reader) stepAttr(ref string, m *node, name string) (cty.Value, error) {
	switch name {
	case "status":
		return cty.StringVal(string(m.status())), nil
	case "exit_code":
		if m.end.ExitCode == nil {
			return cty.NullVal(cty.Number), nil
		}
		return cty.NumberIntVal(int64(*m.end.ExitCode)), nil
	case "reason":
		return types.StringVal(m.end.Reason), nil
	case "message":
		return types.StringVal(m.end.Message), nil
	}
	for i := range m.step.Outputs {
		if m.step.Outputs[i].Name == name {
			return r.output(ref, m, i)
		}
	}
	return cty.NilVal, fmt.Errorf("%s does not exist", ref)
}

// status returns the status that others read. A step that is not part of this run reads as skipped.
func (n *node) status() record.Status {
	if n.phase == absent {
		return record.Skipped
	}
	return n.end.Status
}

// output returns output i of m, or the value that replaces it.
func (r *reader) output(ref string, m *node, i int) (cty.Value, error) {
	out := &m.step.Outputs[i]
	t := r.ev.types[out.Type]
	status := m.status()
	given := status != record.Succeeded || !m.mayLack(out) || m.datum(out.Name) != nil
	switch {
	case status == record.Succeeded && given:
		if d := m.datum(out.Name); r.passing && d != nil && d.Value != nil {
			r.read, r.readType, r.passed = d, out.Type, true
			return cty.DynamicVal, nil
		}
		v, err := m.value(i, t)
		if err == nil {
			r.read, r.readType = m.datum(out.Name), out.Type
		}
		return v, err
	case (status == record.Skipped || !given) && out.Default != nil:
		return constant(out.Default, t)
	case !given:
		r.missing = m.addr + " did not write its output " + out.Name
		if !r.isSoft(ref) {
			r.leftOut = r.missing
		}
	default:
		r.missing, r.failed = m.outcome(), r.failed || status != record.Skipped
	}
	if r.isSoft(ref) {
		return cty.NullVal(t), nil
	}
	return cty.NilVal, fmt.Errorf("%s can't be read: %s", ref, r.missing)
}

// mayLack reports whether n may succeed without an output: an optional output of a step, or an output that a called pipeline
// omits.
func (n *node) mayLack(out *program.Output) bool { return out.Optional || n.step.Call != nil }

// value decodes output i of a step that succeeded, once for all readers.
func (n *node) value(i int, t cty.Type) (cty.Value, error) {
	if n.values == nil {
		n.values = make([]cty.Value, len(n.step.Outputs))
	}
	if n.values[i] != cty.NilVal {
		return n.values[i], nil
	}
	name := n.step.Outputs[i].Name
	d := n.datum(name)
	if d == nil {
		return cty.NilVal, fmt.Errorf("step.%s.%s does not exist", n.addr, name)
	}
	v, err := decode(d, t)
	if err != nil {
		return cty.NilVal, fmt.Errorf("step.%s.%s: %w", n.addr, name, err)
	}
	n.values[i] = types.Large(v)
	return n.values[i], nil
}

// datum returns the output with a name, or nil.
func (n *node) datum(name string) *record.Datum {
	for j := range n.end.Outputs {
		if n.end.Outputs[j].Name == name {
			return &n.end.Outputs[j]
		}
	}
	return nil
}

// outcome describes how a node ended whose outputs cannot be read.
func (n *node) outcome() string {
	name := n.addr
	switch {
	case n.phase == absent:
		return name + " is not part of this run"
	case n.end.Status == record.Failed:
		return name + " failed"
	case n.end.Status == record.TimedOut:
		return name + " timed out"
	case n.end.Status == record.Cancelled:
		return name + " was cancelled"
	case n.end.Reason == record.ReasonConditionFalse:
		return name + " was skipped (" + conditionFalse + ")"
	case n.rootCause != "":
		return name + " was skipped (" + n.rootCause + ")"
	}
	return name + " was skipped"
}

const conditionFalse = "its condition is false"
