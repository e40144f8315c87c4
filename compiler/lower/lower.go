// Package lower turns a checked pipeline into a program: values to constants, references and kept expressions; blocks to
// sorted lists. It tells nothing: what is wrong has been told by check.
package lower

import (
	"encoding/json"
	"sort"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Program makes the program of a pipeline in which check found no error, and its source map.
func Program(w *evaluate.World, p *check.Pipeline) (*program.Program, program.SourceMap, error) {
	l := &lowerer{world: w, prog: p.Program, places: program.SourceMap{"": p.Block.DefRange}}
	for _, name := range evaluate.Names(p.Params) {
		l.param(name, p.Params[name])
	}
	for _, s := range p.Steps {
		out := l.step(s)
		if s.Finally {
			l.prog.Finally = append(l.prog.Finally, out)
		} else {
			l.prog.Steps = append(l.prog.Steps, out)
		}
	}
	byName := func(s []program.Step) { sort.Slice(s, func(i, j int) bool { return s[i].Name < s[j].Name }) }
	byName(l.prog.Steps)
	byName(l.prog.Finally)
	for _, r := range p.Results {
		l.prog.Outputs = append(l.prog.Outputs, program.Result{Name: r.Block.Label, Type: types.String(r.Type), Value: l.value(r.Value)})
		l.places["output."+r.Block.Label] = r.Block.DefRange
	}
	sort.Slice(l.prog.Outputs, func(i, j int) bool { return l.prog.Outputs[i].Name < l.prog.Outputs[j].Name })
	l.used()
	return &l.prog, l.places, l.err
}

type lowerer struct {
	world  *evaluate.World
	prog   program.Program
	places program.SourceMap
	err    error
}

// json writes a constant; cty.NilVal is none.
func (l *lowerer) json(v cty.Value) json.RawMessage {
	if v == cty.NilVal {
		return nil
	}
	data, err := types.ToJSON(v)
	if err != nil && l.err == nil {
		l.err = err
	}
	return data
}

func (l *lowerer) param(name string, p *check.Param) {
	doc, _ := l.world.String(p.Block, "description")
	l.prog.Params = append(l.prog.Params, program.Param{Name: name, Type: types.String(p.Type), Default: l.json(p.Default), Doc: doc})
	l.places["param."+name] = p.Block.DefRange
}

func (l *lowerer) step(s *check.Step) program.Step {
	out, at := s.Program, "step."+s.Name()
	l.places[at] = s.Block.DefRange
	if e := s.Block.Attr("pod"); e != nil {
		l.places[at+".pod"] = e.Range()
	}
	for _, v := range s.Command {
		out.Command = append(out.Command, l.value(v))
	}
	out.CommandList = l.optional(s.CommandList)
	for _, in := range s.Inputs {
		out.Inputs = append(out.Inputs, program.Input{Name: in.Block.Label, Type: types.String(in.Type), Value: l.input(in), Default: l.json(in.Default)})
		l.places[at+".input."+in.Block.Label] = in.Block.DefRange
	}
	sort.Slice(out.Inputs, func(i, j int) bool { return out.Inputs[i].Name < out.Inputs[j].Name })
	for _, o := range s.Outputs {
		out.Outputs = append(out.Outputs, program.Output{Name: o.Block.Label, Type: types.String(o.Type), Default: l.json(o.Default)})
		l.places[at+".output."+o.Block.Label] = o.Block.DefRange
	}
	sort.Slice(out.Outputs, func(i, j int) bool { return out.Outputs[i].Name < out.Outputs[j].Name })
	for _, name := range evaluate.Names(s.Env) {
		out.Env = append(out.Env, program.Env{Name: name, Value: l.value(s.Env[name])})
	}
	sort.Slice(out.SecretEnv, func(i, j int) bool { return out.SecretEnv[i].Name < out.SecretEnv[j].Name })
	out.When = l.optional(s.When)
	out.Retry.When = l.optional(s.RetryWhen)
	for _, name := range evaluate.Names(s.Needs) {
		out.Needs = append(out.Needs, program.Need{Step: name, Kind: s.Needs[name].Kind})
	}
	return out
}

func (l *lowerer) optional(v *check.Value) *program.Value {
	if v == nil {
		return nil
	}
	out := l.value(v)
	return &out
}

// input is the value of an input. Where the input has a default, all that it reads of steps may be missing.
func (l *lowerer) input(in *check.Input) program.Value {
	if in.Default != cty.NilVal {
		for i := range in.Value.Uses {
			u := &in.Value.Uses[i]
			u.Soft = u.Step != "" && !u.Status
		}
	}
	return l.value(in.Value)
}

// value is a constant, one whole reference, or a kept expression.
func (l *lowerer) value(v *check.Value) program.Value {
	if v.Const != cty.NilVal {
		return program.Value{Const: l.json(v.Const)}
	}
	if ref, ok := wholeReference(v); ok {
		return program.Value{Ref: ref, Soft: v.Uses[0].Soft}
	}
	return program.Value{Expr: l.expr(v)}
}

// wholeReference says whether an expression is nothing but one reference, or input.x.path or output.y.path.
func wholeReference(v *check.Value) (string, bool) {
	t, ok := expr.Bare(v.Node).(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(v.Uses) != 1 {
		return "", false
	}
	text, ref := evaluate.Text(t.Traversal), v.Uses[0].Ref
	if text == ref {
		return text, true
	}
	root := t.Traversal.RootName()
	return text, (root == "input" || root == "output") && text == ref+".path"
}

func (l *lowerer) expr(v *check.Value) *expr.Expr {
	text, err := expr.Print(v.Node)
	if err != nil && l.err == nil {
		l.err = err
	}
	out := &expr.Expr{Text: text, Type: types.String(v.Type)}
	refs, soft := map[string]bool{}, map[string]bool{}
	for _, u := range v.Uses {
		if u.Const {
			l.constant(out, u.Ref)
			continue
		}
		soft[u.Ref] = u.Soft && (!refs[u.Ref] || soft[u.Ref]) // one hard use makes it hard
		refs[u.Ref] = true
	}
	out.Refs = evaluate.Names(refs)
	for _, ref := range out.Refs {
		if soft[ref] {
			out.Soft = append(out.Soft, ref)
		}
	}
	return out
}

func (l *lowerer) constant(out *expr.Expr, ref string) {
	if _, there := out.Scope[ref]; there {
		return
	}
	v, _ := l.world.Named(ref)
	c, err := expr.NewConst(v)
	if err != nil && l.err == nil {
		l.err = err
	}
	if out.Scope == nil {
		out.Scope = map[string]expr.Const{}
	}
	out.Scope[ref] = c
}
