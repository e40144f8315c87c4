// Package lower translates the checked model of a pipeline into a program, and only this package writes programs: types become
// text, values become constants, references and kept expressions, maps become sorted lists, and the pipelines that are called
// become part of the program. It reports no diagnostics, because package check has found none.
package lower

import (
	"encoding/json"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Program returns the program of a pipeline in which package check has found no error, and the program's source map.
func Program(p *model.Pipeline) (*program.Program, program.SourceMap, error) {
	l := &lowerer{
		source:    p.Project.Evaluated.Scope.Source,
		sourceMap: program.SourceMap{"": p.Block.DefRange}, called: map[string]bool{},
		prefixes: prefixes(p), codes: map[string]*code{}, images: map[string]*image{},
	}
	l.program = program.Program{
		Version: program.Version, Project: p.Project.Evaluated.Name, Pipeline: p.Block.Label,
		OnFailure: p.OnFailure, MaxParallel: p.MaxParallel, Timeout: p.Timeout, Labels: p.Labels, Schedules: l.schedules(p.Schedules),
	}
	c := l.pipeline(p, "", inherited{})
	out := &l.program
	out.Params, out.Steps, out.Finally, out.Outputs = c.Params, c.Steps, c.Finally, c.Outputs
	slices.SortFunc(out.Called, func(a, b program.Called) int { return strings.Compare(a.Name, b.Name) })
	l.sources()
	slices.SortFunc(out.LastSuccess, func(a, b program.LastSuccess) int { return strings.Compare(a.Ref(), b.Ref()) })
	return out, l.sourceMap, l.err
}

// lowerer builds one program.
type lowerer struct {
	program   program.Program
	source    expr.Sources // of the project and its libraries
	sourceMap program.SourceMap
	called    map[string]bool           // the names of the pipelines that are in program.Called, or are being added
	prefixes  map[*model.Project]string // of names in the program, by the library that declares them
	codes     map[string]*code          // by their names in the program
	images    map[string]*image         // by their names in the program
	err       error                     // the first one
}

func (l *lowerer) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// pipeline translates what a pipeline has both as a program and as a part of another one. at is the prefix of the
// names of its parts in the source map.
func (l *lowerer) pipeline(p *model.Pipeline, at string, from inherited) program.Called {
	out := program.Called{OnFailure: p.OnFailure, MaxParallel: p.MaxParallel, Timeout: p.Timeout}
	for _, name := range evaluate.Names(p.Params) {
		param := l.param(name, at, p.Params[name])
		param.Default = written(p.Project.Evaluated, p.Params[name].Block.Attr("default"), param.Default, p.Params[name].Type)
		out.Params = append(out.Params, param)
	}
	for _, s := range p.Steps {
		if lowered := l.step(p, s, at, from); s.Finally {
			out.Finally = append(out.Finally, lowered)
		} else {
			out.Steps = append(out.Steps, lowered)
		}
	}
	byName := func(a, b program.Step) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(out.Steps, byName)
	slices.SortFunc(out.Finally, byName)
	for _, r := range p.Results {
		out.Outputs = append(out.Outputs, program.Result{Name: r.Block.Label, Type: types.String(r.Type), Value: l.value(r.Value)})
		l.sourceMap[at+"output."+r.Block.Label] = r.Block.DefRange
	}
	return out
}

func (l *lowerer) param(name, at string, p *model.Param) program.Param {
	l.sourceMap[at+"param."+name] = p.Block.DefRange
	out := program.Param{Name: name, Type: types.String(p.Type), Inside: p.Inside, Default: l.json(p.Default), Doc: p.Doc}
	for _, v := range p.Enum {
		out.Enum = append(out.Enum, l.json(v))
	}
	for _, r := range p.Rules {
		out.Rules = append(out.Rules, program.Rule{Condition: l.value(r.Condition), Message: l.value(r.Message)})
	}
	if at == "" && p.Source != "" {
		out.Source = p.Source
		l.sourceMap["param."+name+".source"] = p.Block.Attr("source").Range()
	}
	return out
}

func (l *lowerer) schedules(list []*model.Schedule) []program.Schedule {
	var out []program.Schedule
	for _, s := range list {
		l.sourceMap[program.SchedulePlace(s.Name)] = s.Block.DefRange
		out = append(out, l.schedule(s))
	}
	return out
}

func (l *lowerer) schedule(s *model.Schedule) program.Schedule {
	out := program.Schedule{
		Name: s.Name, Cron: s.Cron, Timezone: s.Timezone, Overlap: s.Overlap, Suspend: s.Suspend, Deadline: s.Deadline,
		SuccessHistory: s.SuccessHistory, FailureHistory: s.FailureHistory,
	}
	for name, v := range s.Params {
		if out.Params == nil {
			out.Params = map[string]json.RawMessage{}
		}
		out.Params[name] = l.json(v)
	}
	return out
}
