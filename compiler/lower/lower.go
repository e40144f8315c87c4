// Package lower turns a checked pipeline into a program: values to constants, references and kept expressions; blocks to
// sorted lists. It tells nothing: what is wrong has been told by check.
package lower

import (
	"encoding/json"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Program makes the program of a pipeline in which check found no error, and its source map.
func Program(w *evaluate.Project, p *check.Pipeline) (*program.Program, program.SourceMap, error) {
	l := &lowerer{
		world: w, prog: p.Program, places: program.SourceMap{"": p.Block.DefRange}, called: map[string]bool{},
		paths: paths(w, p), codes: map[string]declared{}, images: map[string]declared{},
	}
	c := l.pipeline(p, "", inherited{})
	l.prog.Params, l.prog.Steps, l.prog.Finally, l.prog.Outputs = c.Params, c.Steps, c.Finally, c.Outputs
	sort.Slice(l.prog.Called, func(i, j int) bool { return l.prog.Called[i].Name < l.prog.Called[j].Name })
	l.used()
	slices.SortFunc(l.prog.Last, func(a, b program.Last) int { return strings.Compare(a.Ref(), b.Ref()) })
	return &l.prog, l.places, l.err
}

// pipeline is a pipeline without what only a run of its own has. at stands before the places of what is in it.
func (l *lowerer) pipeline(p *check.Pipeline, at string, from inherited) program.Called {
	out := program.Called{
		OnFailure: p.Program.OnFailure, MaxParallel: p.Program.MaxParallel, Timeout: p.Program.Timeout,
	}
	for _, name := range evaluate.Names(p.Params) {
		out.Params = append(out.Params, l.param(name, at, p.Params[name]))
	}
	for _, s := range p.Steps {
		lowered := l.step(s, at, from)
		if s.Finally {
			out.Finally = append(out.Finally, lowered)
		} else {
			out.Steps = append(out.Steps, lowered)
		}
	}
	byName := func(s []program.Step) { sort.Slice(s, func(i, j int) bool { return s[i].Name < s[j].Name }) }
	byName(out.Steps)
	byName(out.Finally)
	for _, r := range p.Results {
		out.Outputs = append(out.Outputs, program.Result{Name: r.Block.Label, Type: types.String(r.Type), Value: l.value(r.Value)})
		l.places[at+"output."+r.Block.Label] = r.Block.DefRange
	}
	sort.Slice(out.Outputs, func(i, j int) bool { return out.Outputs[i].Name < out.Outputs[j].Name })
	return out
}

type lowerer struct {
	world  *evaluate.Project
	prog   program.Program
	places program.SourceMap
	called map[string]bool // the pipelines that are in prog.Called, or on their way there
	paths  map[*evaluate.Project]string
	codes  map[string]declared // by their names in the program
	images map[string]declared
	err    error
}

// json writes a constant; cty.NilVal is none.
func (l *lowerer) json(v cty.Value) json.RawMessage {
	if v == cty.NilVal {
		return nil
	}
	if v.IsNull() { // of an artifact too, which has no JSON otherwise
		return json.RawMessage("null")
	}
	data, err := types.ToJSON(v)
	if err != nil && l.err == nil {
		l.err = err
	}
	return data
}

func (l *lowerer) param(name, at string, p *check.Param) program.Param {
	doc, _ := l.world.String(p.Block, "description")
	l.places[at+"param."+name] = p.Block.DefRange
	out := program.Param{Name: name, Type: types.String(p.Type), Default: l.json(p.Default), Doc: doc}
	if at == "" && p.Source != "" {
		out.Source = p.Source
		l.places["param."+name+".source"] = p.Block.Attr("source").Range()
	}
	return out
}

func (l *lowerer) step(s *check.Step, at string, from inherited) program.Step {
	out := s.Program
	at += "step." + s.Name()
	l.places[at] = s.Block.DefRange
	if s.Approval != nil {
		approval := *out.Approval
		approval.Message, approval.Default = l.value(s.Approval.Message), l.json(s.Approval.Default)
		out.Approval = &approval
	} else {
		l.qualify(&out)
		from.give(&out)
	}
	if s.Callee != nil {
		out.Call = l.call(s.Callee, inherited{image: out.Image, code: out.Code})
		out.Image, out.Code = "", ""
	}
	if f := s.ForEach; f != nil && f.Value != nil {
		each := *out.ForEach
		each.Value = l.value(f.Value)
		out.ForEach = &each
	}
	out.Repeat = l.repeat(s.Repeat)
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
		out.Outputs = append(out.Outputs, program.Output{
			Name: o.Block.Label, Type: types.String(o.Type), Default: l.json(o.Default), Optional: o.Optional, Glob: o.Glob,
		})
		if s.Callee == nil {
			l.places[at+".output."+o.Block.Label] = o.Block.DefRange
		}
	}
	sort.Slice(out.Outputs, func(i, j int) bool { return out.Outputs[i].Name < out.Outputs[j].Name })
	for _, name := range evaluate.Names(s.Env) {
		out.Env = append(out.Env, program.Env{Name: name, Value: l.value(s.Env[name])})
	}
	sort.Slice(out.SecretEnv, func(i, j int) bool { return out.SecretEnv[i].Name < out.SecretEnv[j].Name })
	out.When = l.optional(s.When)
	out.Retry.When = l.optional(s.RetryWhen)
	for _, key := range evaluate.Names(s.Needs) {
		n := s.Needs[key]
		out.Needs = append(out.Needs, program.Need{Step: n.Step, Kind: n.Kind, Instance: n.Instance})
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
			u.Soft = u.CanLack()
		}
	}
	l.lasts(in.Value.Uses)
	return l.value(in.Value)
}

// lasts adds to the program what it reads of earlier runs.
func (l *lowerer) lasts(uses []check.Use) {
	for _, u := range uses {
		if u.Last == nil {
			continue
		}
		one := program.Last{Pipeline: u.Last.Pipeline, Output: u.Last.Output, Type: types.String(u.Last.Type), Required: !u.Soft}
		i := slices.IndexFunc(l.prog.Last, func(other program.Last) bool { return other.Ref() == one.Ref() })
		if i < 0 {
			l.prog.Last = append(l.prog.Last, one)
			continue
		}
		l.prog.Last[i].Required = l.prog.Last[i].Required || one.Required
	}
}

// value is a constant, one whole reference, or a kept expression.
func (l *lowerer) value(v *check.Value) program.Value {
	if v.Const != cty.NilVal {
		return program.Value{Const: l.json(v.Const)}
	}
	if ref, soft, ok := wholeReference(v); ok {
		return program.Value{Ref: ref, Soft: soft}
	}
	return program.Value{Expr: l.expr(v)}
}

// wholeReference says whether an expression is nothing but one reference, or input.x.path or output.y.path.
func wholeReference(v *check.Value) (ref string, soft, ok bool) {
	switch node := expr.Bare(v.Node).(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if root := node.Traversal.RootName(); len(v.Uses) == 1 && (root == "input" || root == "output") {
			if text := evaluate.Text(node.Traversal); text == v.Uses[0].Ref || text == v.Uses[0].Ref+".path" {
				return text, v.Uses[0].Soft, true
			}
			return "", false, false
		}
	case *hclsyntax.SplatExpr, *hclsyntax.RelativeTraversalExpr:
	default:
		return "", false, false
	}
	if len(v.Uses) > 2 { // each.key beside the reference that it is in
		return "", false, false
	}
	text, err := expr.Print(expr.Bare(v.Node))
	if err != nil {
		return "", false, false
	}
	for _, u := range v.Uses {
		if u.Ref == text && !u.Const {
			return text, u.Soft, true
		}
	}
	return "", false, false
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
