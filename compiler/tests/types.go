package tests

import (
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// facts are what an assertion can read of each step, in addition to its outputs. An output with the same name comes first.
var facts = map[string]cty.Type{
	"status": cty.String, "reason": cty.String, "message": cty.String, "exit_code": cty.Number,
	"attempts": cty.Number, "cached": cty.Bool, "start": cty.Number, "end": cty.Number,
}

// pipelineTypes are the types of what tests of a pipeline can read.
type pipelineTypes struct {
	params  map[string]cty.Type
	steps   map[string]*stepTypes
	outputs map[string]cty.Type
}

// stepTypes are those of a step.
type stepTypes struct {
	def      *program.Step
	inputs   map[string]cty.Type
	outputs  map[string]cty.Type
	optional map[string]bool
	inner    map[string]*stepTypes // of a call: the steps of the pipeline called
	keyed    bool                  // its instances have keys, and no positions
}

// plain returns the type that a value of type t has in a test: an artifact, which has no content, is an empty object.
func plain(t cty.Type) cty.Type {
	switch {
	case !types.HasArtifact(t):
		return t
	case t.IsListType():
		return cty.List(plain(t.ElementType()))
	case t.IsMapType():
		return cty.Map(plain(t.ElementType()))
	}
	return cty.EmptyObject
}

func allPlain(ts map[string]cty.Type) map[string]cty.Type {
	out := make(map[string]cty.Type, len(ts))
	for name, t := range ts {
		out[name] = plain(t)
	}
	return out
}

// typesOf reads the types of a program.
func typesOf(p *program.Program) (*pipelineTypes, error) {
	out := &pipelineTypes{params: map[string]cty.Type{}, outputs: map[string]cty.Type{}}
	var err error
	for _, q := range p.Params {
		if out.params[q.Name], err = types.ParseString(q.Type); err != nil {
			return nil, err
		}
	}
	for _, o := range p.Outputs {
		if out.outputs[o.Name], err = types.ParseString(o.Type); err != nil {
			return nil, err
		}
	}
	out.steps, err = typesOfSteps(p, p.Steps, p.Finally)
	return out, err
}

func typesOfSteps(p *program.Program, lists ...[]program.Step) (map[string]*stepTypes, error) {
	out := map[string]*stepTypes{}
	for _, list := range lists {
		for i := range list {
			s, err := typesOfStep(p, &list[i])
			if err != nil {
				return nil, err
			}
			out[s.def.Name] = s
		}
	}
	return out, nil
}

func typesOfStep(p *program.Program, def *program.Step) (*stepTypes, error) {
	s := &stepTypes{def: def, inputs: map[string]cty.Type{}, outputs: map[string]cty.Type{}, optional: map[string]bool{}}
	var err error
	for _, in := range def.Inputs {
		if s.inputs[in.Name], err = types.ParseString(in.Type); err != nil {
			return nil, err
		}
	}
	for _, o := range def.Outputs {
		if s.outputs[o.Name], err = types.ParseString(o.Type); err != nil {
			return nil, err
		}
		s.optional[o.Name] = o.Optional
	}
	if def.ForEach != nil {
		s.keyed = !strings.HasPrefix(def.ForEach.Type, "list(")
	}
	if def.Call != nil {
		if called := p.CalledNamed(def.Call.Pipeline); called != nil {
			s.inner, err = typesOfSteps(p, called.Steps, called.Finally)
		}
	}
	return s, err
}

// assertRoots are the names that assertions can read.
func (p *pipelineTypes) assertRoots() map[string]cty.Type {
	step, whole := map[string]cty.Type{}, map[string]cty.Type{}
	for name, s := range p.steps {
		step[name] = s.typ()
		if s.def.ForEach != nil {
			whole[name] = cty.Object(facts)
		}
	}
	return map[string]cty.Type{
		"step": cty.Object(step), wholeRoot: cty.Object(whole), "output": cty.Object(allPlain(p.outputs)), "param": cty.Object(allPlain(p.params)),
		"run": cty.Object(map[string]cty.Type{
			"status": cty.String, "reason": cty.String, "message": cty.String, "duration": cty.Number, "order": cty.List(cty.String),
		}),
	}
}

// mockRoots are the names that the outputs of a mock can read.
func (p *pipelineTypes) mockRoots(s *stepTypes) map[string]cty.Type {
	return map[string]cty.Type{
		"input": cty.Object(allPlain(s.inputs)), "param": cty.Object(allPlain(p.params)), "attempt": cty.Number, "round": cty.Number,
		"each": cty.Object(map[string]cty.Type{"key": cty.String}),
	}
}

// typ is the type of step.NAME: a list or a map of the instances, if there are any.
func (s *stepTypes) typ() cty.Type {
	one := s.one()
	switch {
	case s.def.ForEach == nil:
		return one
	case s.keyed:
		return cty.Map(one)
	}
	return cty.List(one)
}

// one is the type of a step without instances, or of one instance.
func (s *stepTypes) one() cty.Type {
	attrs := maps.Clone(facts)
	if s.def.Repeat != nil {
		attrs["rounds"] = cty.List(cty.Object(s.withOutputs(maps.Clone(facts))))
	}
	if s.inner != nil {
		inner := map[string]cty.Type{}
		for name, i := range s.inner {
			inner[name] = i.typ()
		}
		attrs["step"] = cty.Object(inner)
	}
	return cty.Object(s.withOutputs(attrs))
}

func (s *stepTypes) withOutputs(attrs map[string]cty.Type) map[string]cty.Type {
	maps.Copy(attrs, allPlain(s.outputs))
	return attrs
}
