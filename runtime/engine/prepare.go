package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// fault is why a step cannot be started.
type fault struct {
	reason, message string
	skip            bool // the step is skipped and has not failed: what it reads was omitted
}

// condition evaluates the step's `when`.
func (ev *evaluator) condition(n *node) (_ bool, f *fault) {
	defer failAlone(&f, "when")
	if n.step.When == nil {
		return true, nil
	}
	r := reader{ev: ev, node: n, value: n.step.When}
	v, err := r.bool()
	if err != nil && r.leftOut != "" {
		return false, &fault{message: r.leftOut, skip: true}
	}
	if err != nil {
		return false, &fault{reason: record.ReasonExpression, message: "when: " + err.Error()}
	}
	return v, nil
}

// bool evaluates a value that must be true or false.
func (r *reader) bool() (bool, error) {
	v, err := r.eval()
	if err != nil {
		return false, err
	}
	if v.IsNull() {
		because := ""
		if r.missing != "" {
			because = " because " + r.missing
		}
		return false, fmt.Errorf("%s is null%s, but a condition must be true or false", r.value.Text(), because)
	}
	if v, err = types.Convert(v, cty.Bool); err != nil {
		return false, err
	}
	v, _ = v.Unmark()
	return v.True(), nil
}

// prepare evaluates what an attempt of a step is given.
func (ev *evaluator) prepare(n *node) (_ *Spec, f *fault) {
	defer failAlone(&f, "inputs")
	spec := &Spec{Step: n.addr, Def: n.step, Attempt: 1, UserAttempt: 1}
	if n.key != cty.NilVal {
		spec.Key = expr.Key(n.key)
	}
	if spec.Def, f = ev.withPod(n, spec.Key); f != nil {
		return nil, f
	}
	for i := range n.step.Inputs {
		d, f := ev.input(n, &n.step.Inputs[i])
		if f != nil {
			return nil, f
		}
		spec.Inputs = append(spec.Inputs, d)
	}
	for i := range n.step.Command {
		if f := ev.readRefs(spec, n, &n.step.Command[i]); f != nil {
			return nil, f
		}
	}
	for _, whole := range []*program.Value{n.step.CommandList, n.step.Args, n.step.CacheKey()} {
		if whole == nil {
			continue
		}
		if f := ev.readRefs(spec, n, whole); f != nil {
			return nil, f
		}
	}
	for i := range n.step.Env {
		if f := ev.readRefs(spec, n, &n.step.Env[i].Value); f != nil {
			return nil, f
		}
	}
	return spec, nil
}

func (ev *evaluator) input(n *node, in *program.Input) (record.Datum, *fault) {
	t := ev.types[in.Type]
	bad := func(reason string, err error) (record.Datum, *fault) {
		return record.Datum{}, &fault{reason: reason, message: fmt.Sprintf("input %q: %s", in.Name, err)}
	}
	r := reader{ev: ev, node: n, value: &in.Value, soft: in.Default != nil}
	v, passed, err := r.inputValue(n.carried[in.Name], in, t)
	if passed != nil {
		return *passed, nil
	}
	isNull := err == nil && v.IsNull()
	switch {
	case in.Default != nil && (isNull || err != nil && r.missing != ""):
		if v, err = constant(in.Default, t); err != nil {
			return bad(record.ReasonInputInvalid, fmt.Errorf("default: %w", err))
		}
		if v.IsNull() {
			return record.Datum{Name: in.Name, Type: in.Type, Value: json.RawMessage("null")}, nil
		}
	case err != nil && r.leftOut != "":
		return record.Datum{}, &fault{message: r.leftOut, skip: true}
	case err != nil && r.missing != "" && !strings.Contains(err.Error(), r.missing):
		return bad(record.ReasonExpression, fmt.Errorf("%w (%s)", err, r.missing))
	case err != nil:
		return bad(record.ReasonExpression, err)
	case isNull && r.missing != "":
		return bad(record.ReasonInputInvalid, fmt.Errorf("the value is null because %s", r.missing))
	}
	if r.read != nil && r.readType == in.Type && in.Value.Ref != "" && in.Inside == nil {
		d := *r.read // reuse the wrapper's checked JSON
		d.Name, d.Type = in.Name, in.Type
		return d, nil
	}
	d, err := encode(in.Name, in.Type, t, in.Inside.Apply(v))
	if err != nil {
		if n.carried[in.Name] == nil {
			err = in.Value.Explain(err)
		}
		return bad(record.ReasonInputInvalid, err)
	}
	return d, nil
}

// inputValue evaluates an input, or takes over the value that the previous round has left for it. If it is only passed on, it is
// returned as a datum.
func (r *reader) inputValue(carried *source, in *program.Input, t cty.Type) (cty.Value, *record.Datum, error) {
	switch {
	case carried == nil && in.Inside != nil: // the defaults change the value
		v, err := r.eval()
		return v, nil, err
	case carried == nil:
		return r.pass(in.Name, in.Type, t)
	case carried.datum == nil:
		return carried.value, nil, nil
	}
	if d := passOn(carried.datum, carried.datum.Type, in.Name, in.Type, t); d != nil && in.Inside == nil {
		return cty.NilVal, d, nil
	}
	v, err := carried.decode()
	return v, nil, err
}

// readRefs adds the values that v, a part of the command or of env, reads in addition to the step's inputs and outputs.
func (ev *evaluator) readRefs(spec *Spec, n *node, v *program.Value) *fault {
	r := reader{ev: ev, node: n, value: v}
	for _, ref := range v.Refs() {
		if strings.HasPrefix(ref, "input.") || strings.HasPrefix(ref, "output.") {
			continue
		}
		r.passed, r.passing = false, true
		val, err := r.lookup(ref)
		var data json.RawMessage
		switch {
		case err != nil:
		case r.passed:
			data = r.read.Value
		case types.IsArtifact(val.Type()) && !val.IsNull() && v.Ref == ref:
			err = fmt.Errorf("%s is an artifact: only an artifact that is an input of the step has a path", ref)
		default:
			data, err = types.ToJSON(readable(val))
		}
		if err != nil {
			if r.leftOut != "" {
				return &fault{message: r.leftOut, skip: true}
			}
			return &fault{reason: record.ReasonExpression, message: err.Error()}
		}
		if spec.Refs == nil {
			spec.Refs = map[string]json.RawMessage{}
		}
		spec.Refs[ref] = data
	}
	return nil
}

// readable returns v with {} instead of the artifacts inside: a command can compare them with null, and reads nothing else of them.
func readable(v cty.Value) cty.Value {
	t := v.Type()
	switch {
	case !types.HasArtifact(t):
		return v
	case v.IsNull():
		return cty.NullVal(cty.DynamicPseudoType)
	case types.IsArtifact(t):
		return cty.EmptyObjectVal
	}
	bare, part := types.Unmark(v)
	if t.IsObjectType() || t.IsMapType() {
		attrs := bare.AsValueMap()
		for name, attr := range attrs {
			attrs[name] = readable(part(attr))
		}
		return cty.ObjectVal(attrs)
	}
	elems := bare.AsValueSlice()
	for i, elem := range elems {
		elems[i] = readable(part(elem))
	}
	return cty.TupleVal(elems)
}
