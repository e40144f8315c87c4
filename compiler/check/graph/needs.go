package graph

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// needs derives the edges of all steps from their references and depends_on.
func needs(p *model.Pipeline, diags *diag.List) {
	for _, s := range p.Steps {
		n := stepNeeds{pipeline: p, step: s, diags: diags, lifted: map[string]hcl.Range{}}
		s.Needs = map[string]*model.Need{}
		n.derive()
	}
}

// stepNeeds derives the edges of one step.
type stepNeeds struct {
	pipeline *model.Pipeline
	step     *model.Step
	diags    *diag.List
	lifted   map[string]hcl.Range // the needs whose status `when` reads: the step starts however they have ended
}

func (n *stepNeeds) derive() {
	s := n.step
	if s.When != nil {
		for _, u := range s.When.Uses {
			if u.Status {
				n.lifted[key(u)] = u.At
				n.add(u.Step, u.Instance, program.NeedStatus, u.At)
			}
		}
	}
	for _, v := range runtimeValues(s) {
		for _, u := range v.Uses {
			n.use(u)
		}
	}
	for _, d := range s.DependsOn {
		n.add(d.Step, "", program.NeedOrder, d.At)
	}
	for name := range n.lifted {
		s.Needs[name].Kind = program.NeedStatus
	}
}

// strength orders the kinds of needs. Of several references to one step, the strongest determines the kind of the need.
var strength = map[program.NeedKind]int{program.NeedStatus: 0, program.NeedSoft: 1, program.NeedOrder: 2, program.NeedOutput: 3}

func (n *stepNeeds) add(step, instance string, kind program.NeedKind, at hcl.Range) {
	if instance == expr.All {
		instance = ""
	}
	need := &model.Need{Step: step, Instance: instance, Kind: kind, At: at}
	first, ok := n.step.Needs[need.Key()]
	if !ok {
		n.step.Needs[need.Key()] = need
	} else if strength[kind] > strength[first.Kind] {
		first.Kind = kind
	}
}

// key is the key of the need that a reference causes.
func key(u model.Use) string {
	return (&model.Need{Step: u.Step, Instance: strings.TrimPrefix(u.Instance, expr.All)}).Key()
}

// use adds the need that a reference causes.
func (n *stepNeeds) use(u model.Use) {
	if u.Step == "" {
		return
	}
	mention, lifted := n.lifted[key(u)]
	target := n.pipeline.Step(u.Step)
	kind := program.NeedOutput
	switch {
	case u.Status && (lifted || n.step.Finally && !target.Finally):
		kind = program.NeedStatus
	case u.Status:
		kind = program.NeedOrder
	case u.Soft || hasDefault(target, u):
		kind = program.NeedSoft
	case lifted:
		n.diags.Add(diag.New("skipped-reference", u.At, "%s may be missing: this step starts even if %q did not succeed", u.Ref, u.Step).
			WithRelated(mention, "the step starts after any result, because its status is read here").
			WithSuggestion("give the input a default, or write coalesce(%s, …)", u.Ref))
		return
	}
	n.add(u.Step, u.Instance, kind, u.At)
}

// hasDefault reports whether the output that a reference reads has a default, which is its value if its step is skipped.
func hasDefault(target *model.Step, u model.Use) bool {
	out := target.Output(u.Output)
	return out != nil && out.Default != cty.NilVal
}

// runtimeValues are the values of a step that are evaluated before it starts, or between its rounds.
func runtimeValues(s *model.Step) []*model.Value {
	var out []*model.Value
	add := func(v *model.Value) {
		if v != nil {
			out = append(out, v)
		}
	}
	if s.ForEach != nil {
		add(s.ForEach.Value)
	}
	add(s.When)
	if s.Approval != nil {
		add(s.Approval.Message)
	}
	for _, in := range s.Inputs {
		add(in.Value)
	}
	for _, v := range s.Command {
		add(v)
	}
	add(s.CommandList)
	add(s.Args)
	add(s.CacheKey)
	for _, name := range evaluate.Names(s.Env) {
		add(s.Env[name])
	}
	if s.Repeat != nil {
		add(s.Repeat.Until)
		for _, name := range evaluate.Names(s.Repeat.Carry) {
			add(s.Repeat.Carry[name])
		}
	}
	return out
}
