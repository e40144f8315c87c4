package lower

import (
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// step translates a step of a pipeline. from is what the pipeline's caller passes on.
func (l *lowerer) step(p *model.Pipeline, s *model.Step, at string, from inherited) program.Step {
	at += "step." + s.Name()
	l.sourceMap[at] = s.Block.DefRange
	out := program.Step{
		Name: s.Name(), Doc: s.Doc, Python: s.Python, Script: s.Script, Args: l.optional(s.Args), Code: s.Code,
		CommandList: l.optional(s.CommandList), When: l.optional(s.When), Repeat: l.repeat(s.Repeat), ForEach: l.forEach(s.ForEach),
		Retry: l.retry(&s.Retry), Timeout: s.Timeout, PendingTimeout: s.PendingTimeout, Grace: s.Grace,
		Cache: l.cache(s), ContinueOnFailure: s.ContinueOnFailure, Approval: l.approval(s.Approval),
	}
	if c := s.Concurrency; c != nil {
		out.Concurrency = &program.Concurrency{Group: c.Group, Limit: c.Limit, Skip: c.Skip}
	}
	setPod(&out, s)
	if s.Approval == nil {
		l.qualify(p.Project, &out)
		from.give(&out)
	}
	if s.Callee != nil {
		out.Call = l.call(s.Callee, inherited{image: out.Image, code: out.Code})
		out.Image, out.Code = "", ""
	}
	if e := s.Block.Attr("pod"); e != nil {
		l.sourceMap[at+".pod"] = e.Range()
	}
	if e := s.Block.Attr("annotations"); e != nil {
		l.sourceMap[at+".annotations"] = e.Range()
	}
	for _, v := range s.Command {
		out.Command = append(out.Command, l.value(v))
	}
	for _, name := range evaluate.Names(s.Env) {
		out.Env = append(out.Env, program.Env{Name: name, Value: l.value(s.Env[name])})
	}
	l.data(&out, s, at)
	writtenStep(p.Project.Evaluated, s, &out)
	for _, key := range evaluate.Names(s.Needs) {
		n := s.Needs[key]
		out.Needs = append(out.Needs, program.Need{Step: n.Step, Kind: n.Kind, Instance: n.Instance})
	}
	return out
}

// data translates the inputs and the outputs of a step.
func (l *lowerer) data(out *program.Step, s *model.Step, at string) {
	for _, in := range s.Inputs {
		l.lasts(in.Value.Uses)
		out.Inputs = append(out.Inputs, program.Input{Name: in.Block.Label, Type: types.String(in.Type), Inside: in.Inside, Value: l.value(in.Value), Default: l.json(in.Default)})
		l.sourceMap[at+".input."+in.Block.Label] = in.Block.DefRange
	}
	slices.SortFunc(out.Inputs, func(a, b program.Input) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range s.Outputs {
		out.Outputs = append(out.Outputs, program.Output{
			Name: o.Block.Label, Type: types.String(o.Type), Default: l.json(o.Default), Optional: o.Optional, Glob: o.Glob, File: o.File, Key: o.Key,
		})
		if s.Callee == nil {
			l.sourceMap[at+".output."+o.Block.Label] = o.Block.DefRange
		}
		if s.Python != "" && len(s.Outputs) > 1 {
			out.OutputOrder = append(out.OutputOrder, o.Block.Label)
		}
	}
	slices.SortFunc(out.Outputs, func(a, b program.Output) int { return strings.Compare(a.Name, b.Name) })
}

// setPod sets what a step sets for its pod, and for the pods of its instances.
func setPod(out *program.Step, s *model.Step) {
	p := &s.Pod
	out.Image, out.SecretEnv, out.Resources, out.NodeSelector, out.ServiceAccount = p.Image, p.Secrets, p.Resources, p.NodeSelector, p.ServiceAccount
	out.Labels, out.Annotations, out.Security, out.PodPatch = p.Labels, p.Annotations, p.Security, p.Patch
	for i := range s.Variants {
		out.Variants = append(out.Variants, variant(&s.Variants[i]))
	}
	out.Variant, out.VariantParams = s.Variant, s.VariantParams
}

func variant(p *model.Pod) program.Variant {
	return program.Variant{
		Image: p.Image, SecretEnv: p.Secrets, Resources: p.Resources, NodeSelector: p.NodeSelector, ServiceAccount: p.ServiceAccount,
		Labels: p.Labels, Annotations: p.Annotations, Security: p.Security, PodPatch: p.Patch,
	}
}

func (l *lowerer) forEach(f *model.ForEach) *program.ForEach {
	if f == nil {
		return nil
	}
	return &program.ForEach{Value: l.value(f.Value), Type: types.String(f.Type), MaxParallel: f.MaxParallel, MaxInstances: f.MaxInstances}
}

func (l *lowerer) repeat(r *model.Repeat) *program.Repeat {
	if r == nil {
		return nil
	}
	out := &program.Repeat{Max: r.Max, Until: l.optional(r.Until)}
	for _, name := range evaluate.Names(r.Carry) {
		out.Carry = append(out.Carry, program.Carry{Name: name, Value: l.value(r.Carry[name])})
	}
	return out
}

func (l *lowerer) retry(r *model.Retry) program.Retry {
	return program.Retry{
		Attempts: r.Attempts, Delay: r.Delay, Factor: r.Factor, MaxDelay: r.MaxDelay, Within: r.Within, OnExitCodes: r.OnExitCodes,
		When: l.optional(r.When), Infrastructure: r.Infrastructure, OOMFactor: r.OOMFactor, AvoidNode: r.AvoidNode,
	}
}

func (l *lowerer) cache(s *model.Step) *program.Cache {
	if s.Cache == nil || s.CacheKey == nil {
		return s.Cache
	}
	out := *s.Cache
	out.Key = l.optional(s.CacheKey)
	return &out
}

func (l *lowerer) approval(a *model.Approval) *program.Approval {
	if a == nil {
		return nil
	}
	return &program.Approval{Message: l.value(a.Message), Default: l.json(a.Default), Timeout: a.Timeout}
}
