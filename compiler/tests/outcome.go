package tests

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Attempt is an attempt that a test is asked for.
type Attempt struct {
	Step    record.Address
	Def     *program.Step
	Key     string // the text of each.key
	Attempt int    // counted from 1
	Inputs  []record.Datum
	Params  map[string]json.RawMessage // of the run
}

// Outcome returns the result of an attempt and how long it takes. Faults of the mock's expressions are in the list.
func (t *Test) Outcome(a *Attempt) (record.Result, time.Duration, *diag.List) {
	zero := 0
	out := outcome{result: record.Result{Status: record.Succeeded, ExitCode: &zero}, took: time.Second}
	if m := t.mockOf(a.Step); m != nil {
		out = m.rest
		if a.Attempt <= len(m.attempts) {
			out = m.attempts[a.Attempt-1]
		}
	}
	var faults *diag.List
	if out.result.Status == record.Succeeded {
		faults = collect(t.expressions.project, func() { out.result.Outputs = t.outputs(a, &out) })
	} else {
		faults = &diag.List{}
	}
	return out.result, out.took, faults
}

// outputs returns the outputs of an attempt that succeeds.
func (t *Test) outputs(a *Attempt, out *outcome) []record.Datum {
	var data []record.Datum
	roots := t.mockValues(a)
	for i := range a.Def.Outputs {
		o := &a.Def.Outputs[i]
		want, err := types.ParseString(o.Type)
		if err != nil {
			t.expressions.project.Diags.Add(diag.New("evaluation", t.Range, "the type of output %q can't be read: %v", o.Name, err))
			continue
		}
		e := out.outputs[o.Name]
		if e == nil {
			data = append(data, *byDefault(o, want, string(a.Step)))
			continue
		}
		v, ok := t.expressions.value(e, roots)
		switch {
		case !ok:
		case v.IsNull() && o.Optional:
		case types.HasArtifact(want):
			data = append(data, *placeholder(o.Name, o.Type, want, types.Computed(v), string(a.Step)))
		default:
			v, err := types.Convert(evaluate.Texts(e, v, want), want)
			if err != nil {
				t.expressions.project.Diags.Add(evaluate.Mismatch(e, v.Type(), want, err, t.expressions.project.Scope.Source))
				continue
			}
			raw, err := types.ToJSON(v)
			if err != nil {
				t.expressions.project.Diags.Add(diag.New("invalid-value", e.Range(), "%v", err))
				continue
			}
			data = append(data, record.Datum{Name: o.Name, Type: o.Type, Value: raw})
		}
	}
	return data
}

// mockValues are the values that the outputs of a mock can read.
func (t *Test) mockValues(a *Attempt) map[string]cty.Value {
	inputs := map[string]cty.Value{}
	for i := range a.Inputs {
		inputs[a.Inputs[i].Name] = valueOf(&a.Inputs[i])
	}
	round := 1
	if n, ok := a.Step.Round(); ok {
		round = n
	}
	return map[string]cty.Value{
		"input": cty.ObjectVal(inputs), "param": t.pipeline.paramValues(a.Params),
		"attempt": cty.NumberIntVal(int64(a.Attempt)), "round": cty.NumberIntVal(int64(round)),
		"each": cty.ObjectVal(map[string]cty.Value{"key": types.StringVal(a.Key)}),
	}
}

// byDefault is the output of a step whose mock doesn't set it.
func byDefault(o *program.Output, want cty.Type, from string) *record.Datum {
	if types.HasArtifact(want) {
		return placeholder(o.Name, o.Type, want, cty.NullVal(cty.DynamicPseudoType), from)
	}
	return &record.Datum{Name: o.Name, Type: o.Type, Value: zero(want)}
}

// zero is the JSON of the value that an output has if a mock doesn't set it.
func zero(t cty.Type) json.RawMessage {
	switch {
	case t == cty.Number:
		return json.RawMessage("0")
	case t == cty.Bool:
		return json.RawMessage("false")
	case t.IsListType() || t.IsSetType():
		return json.RawMessage("[]")
	case t.IsMapType():
		return json.RawMessage("{}")
	case t.IsTupleType():
		out := []json.RawMessage{}
		for _, e := range t.TupleElementTypes() {
			out = append(out, zero(e))
		}
		return encoded(out)
	case t.IsObjectType():
		out := map[string]json.RawMessage{}
		for name, e := range t.AttributeTypes() {
			if t.AttributeOptional(name) {
				out[name] = json.RawMessage("null")
			} else {
				out[name] = zero(e)
			}
		}
		return encoded(out)
	}
	return json.RawMessage(`""`)
}

func encoded(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}

// Placeholder returns an artifact without content, for a param that a test doesn't set.
func Placeholder(name, typ string) (*record.Datum, error) {
	want, err := types.ParseString(typ)
	if err != nil {
		return nil, err
	}
	return placeholder(name, typ, want, cty.NullVal(cty.DynamicPseudoType), "param"), nil
}

// placeholder is an artifact without content. The elements of a list or a map of artifacts are those of a value.
func placeholder(name, typ string, want cty.Type, v cty.Value, from string) *record.Datum {
	d := &record.Datum{Name: name, Type: typ}
	if types.IsArtifact(want) {
		sum := sha256.Sum256([]byte(from + "\x00" + name))
		d.Artifact = &record.Artifact{Digest: "sha256:" + hex.EncodeToString(sum[:])}
		return d
	}
	if !want.IsListType() && !want.IsMapType() || v.IsNull() || !v.CanIterateElements() {
		return d
	}
	elem := want.ElementType()
	if v.Type().IsObjectType() || v.Type().IsMapType() {
		of := v.AsValueMap()
		for _, key := range slices.Sorted(maps.Keys(of)) {
			e := placeholder(key, types.String(elem), elem, of[key], from+"/"+name)
			if want.IsListType() {
				e.Name = ""
			}
			d.Elems = append(d.Elems, *e)
		}
		return d
	}
	for i, e := range v.AsValueSlice() {
		key := ""
		if want.IsMapType() {
			key = strconv.Itoa(i)
		}
		one := placeholder(key, types.String(elem), elem, e, fmt.Sprintf("%s/%s/%d", from, name, i))
		d.Elems = append(d.Elems, *one)
	}
	return d
}
