package tests

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// History is what happened in a run.
type History struct {
	End       record.End
	StartedAt time.Time
	Params    map[string]json.RawMessage
	Order     []string                   // the addresses of the steps, in the order in which they started first
	Steps     map[string]*record.StepEnd // by address, every part of the run that has ended
}

// parts are the addresses of the instances and rounds of each step, in the order in which they were found.
type parts struct {
	h         *History
	instances map[string][]record.Key // by the address of the step
	rounds    map[string]int          // how many, by the address of the step or the instance
}

func partsOf(h *History) *parts {
	p := &parts{h: h, instances: map[string][]record.Key{}, rounds: map[string]int{}}
	for text := range h.Steps {
		addr := record.Address(text)
		if n, ok := addr.Round(); ok {
			of := text[:strings.LastIndexByte(text, '#')]
			p.rounds[of] = max(p.rounds[of], n)
			continue
		}
		if key, ok := addr.Key(); ok {
			if of, ok := addr.Parent(); ok {
				p.instances[string(of)] = append(p.instances[string(of)], key)
			}
		}
	}
	return p
}

// values are the values that assertions can read.
func (t *pipelineTypes) values(h *History) map[string]cty.Value {
	p := partsOf(h)
	step, whole := map[string]cty.Value{}, map[string]cty.Value{}
	for name, s := range t.steps {
		step[name] = p.step(s, record.Address(name))
		if s.def.ForEach != nil {
			whole[name] = cty.ObjectVal(p.facts(h.Steps[name]))
		}
	}
	outputs := map[string]cty.Value{}
	for name, typ := range t.outputs {
		outputs[name] = datum(h.End.Outputs, name, typ)
	}
	order := cty.ListValEmpty(cty.String)
	if len(h.Order) > 0 {
		list := make([]cty.Value, len(h.Order))
		for i, addr := range h.Order {
			list[i] = types.StringVal(addr)
		}
		order = cty.ListVal(list)
	}
	return map[string]cty.Value{
		"step": cty.ObjectVal(step), wholeRoot: cty.ObjectVal(whole), "output": cty.ObjectVal(outputs), "param": t.paramValues(h.Params),
		"run": cty.ObjectVal(map[string]cty.Value{
			"status": cty.StringVal(string(h.End.Status)), "reason": text(h.End.Reason), "message": text(h.End.Message),
			"duration": cty.NumberFloatVal(h.End.At.Sub(h.StartedAt).Seconds()), "order": order,
		}),
	}
}

func (t *pipelineTypes) paramValues(given map[string]json.RawMessage) cty.Value {
	out := map[string]cty.Value{}
	for name, typ := range t.params {
		out[name] = cty.NullVal(bare(typ))
		if data, ok := given[name]; ok && string(data) != "null" && !types.HasArtifact(typ) {
			if v, err := types.FromJSON(data, typ); err == nil {
				out[name] = unmarked(v)
			}
		}
	}
	return cty.ObjectVal(out)
}

// step is the value of step.NAME: an object, or the objects of its instances.
func (p *parts) step(s *stepTypes, addr record.Address) cty.Value {
	if s.def.ForEach == nil {
		return p.one(s, addr)
	}
	keys := p.instances[string(addr)]
	if !s.keyed {
		list := make([]cty.Value, len(keys))
		for i := range keys {
			list[i] = p.one(s, addr.Instance(record.Key(strconv.Itoa(i))))
		}
		return cty.TupleVal(list)
	}
	byKey := map[string]cty.Value{}
	for _, key := range keys {
		byKey[key.Text()] = p.one(s, addr.Instance(key))
	}
	return cty.ObjectVal(byKey)
}

// one is the value of a step without instances, or of one instance.
func (p *parts) one(s *stepTypes, addr record.Address) cty.Value {
	end := p.h.Steps[string(addr)]
	attrs := p.facts(end)
	if s.def.Repeat != nil {
		list := make([]cty.Value, p.rounds[string(addr)])
		for i := range list {
			round := p.h.Steps[string(addr.RoundAt(i+1))]
			list[i] = cty.ObjectVal(p.withOutputs(s, round, p.facts(round)))
		}
		attrs["rounds"] = cty.TupleVal(list)
	}
	if s.inner != nil {
		inner := map[string]cty.Value{}
		for name, i := range s.inner {
			inner[name] = p.step(i, addr.Child(name))
		}
		attrs["step"] = cty.ObjectVal(inner)
	}
	return cty.ObjectVal(p.withOutputs(s, end, attrs))
}

// facts are the attributes of the end of a step. They are null for a step that was never reached.
func (p *parts) facts(end *record.StepEnd) map[string]cty.Value {
	out := map[string]cty.Value{}
	for name, typ := range facts {
		out[name] = cty.NullVal(typ)
	}
	if end == nil {
		return out
	}
	out["status"], out["reason"], out["message"] = cty.StringVal(string(end.Status)), text(end.Reason), text(end.Message)
	out["attempts"], out["cached"] = cty.NumberIntVal(int64(max(end.Attempts, end.Calls))), cty.BoolVal(end.Cached)
	if end.ExitCode != nil {
		out["exit_code"] = cty.NumberIntVal(int64(*end.ExitCode))
	}
	if !end.StartedAt.IsZero() {
		out["start"] = cty.NumberFloatVal(end.StartedAt.Sub(p.h.StartedAt).Seconds())
	}
	if !end.EndedAt.IsZero() {
		out["end"] = cty.NumberFloatVal(end.EndedAt.Sub(p.h.StartedAt).Seconds())
	}
	return out
}

func (p *parts) withOutputs(s *stepTypes, end *record.StepEnd, attrs map[string]cty.Value) map[string]cty.Value {
	for i := range s.def.Outputs {
		o := &s.def.Outputs[i]
		attrs[o.Name] = output(o, s.outputs[o.Name], end)
	}
	return attrs
}

// output is the value of an output: its default, or null, if the step has none.
func output(o *program.Output, typ cty.Type, end *record.StepEnd) cty.Value {
	if end != nil {
		if v := datum(end.Outputs, o.Name, typ); !v.IsNull() {
			return v
		}
	}
	if o.Default != nil && string(o.Default) != "null" && !types.HasArtifact(typ) {
		if v, err := types.FromJSON(o.Default, typ); err == nil {
			return unmarked(v)
		}
	}
	return cty.NullVal(bare(typ))
}

func datum(data []record.Datum, name string, typ cty.Type) cty.Value {
	for i := range data {
		if data[i].Name == name {
			return valueOf(&data[i])
		}
	}
	return cty.NullVal(bare(typ))
}

// valueOf is the value of a datum, of the type plain.
func valueOf(d *record.Datum) cty.Value {
	typ, err := types.ParseString(d.Type)
	if err != nil {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	switch {
	case types.IsArtifact(typ):
		return cty.EmptyObjectVal
	case types.HasArtifact(typ) && d.Artifact != nil:
		return cty.NullVal(bare(typ)) // a list or map that is one directory
	case types.HasArtifact(typ) && typ.IsMapType():
		byKey := map[string]cty.Value{}
		for i := range d.Elems {
			byKey[d.Elems[i].Name] = valueOf(&d.Elems[i])
		}
		return cty.ObjectVal(byKey)
	case types.HasArtifact(typ):
		list := make([]cty.Value, len(d.Elems))
		for i := range d.Elems {
			list[i] = valueOf(&d.Elems[i])
		}
		return cty.TupleVal(list)
	case string(d.Value) == "null" || d.Value == nil:
		return cty.NullVal(bare(typ))
	}
	v, err := types.FromJSON(d.Value, typ)
	if err != nil {
		return cty.NullVal(bare(typ))
	}
	return unmarked(v)
}

func bare(t cty.Type) cty.Type { return plain(t).WithoutOptionalAttributesDeep() }

func unmarked(v cty.Value) cty.Value {
	v, _ = v.UnmarkDeep()
	return v
}

// text is a text of a record; null if it is empty.
func text(s string) cty.Value {
	if s == "" {
		return cty.NullVal(cty.String)
	}
	return types.StringVal(s)
}
