package check

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// strength orders the kinds: of several references to one step, the strongest is the need.
var strength = map[program.NeedKind]int{program.NeedStatus: 0, program.NeedSoft: 1, program.NeedOrder: 2, program.NeedOutput: 3}

func (s *Step) need(step, instance string, kind program.NeedKind, at hcl.Range) {
	if instance == expr.All {
		instance = ""
	}
	need := &Need{Step: step, Instance: instance, Kind: kind, At: at}
	n, ok := s.Needs[need.key()]
	if !ok {
		s.Needs[need.key()] = need
	} else if strength[kind] > strength[n.Kind] {
		n.Kind = kind
	}
}

// needs finds what a step waits for, from its references and depends_on: LANGUAGE's first rule.
func (c *checker) needs(p *Pipeline, s *Step) {
	lifted := map[string]hcl.Range{} // steps whose status `when` mentions
	if s.When != nil {
		for _, u := range s.When.Uses {
			if u.Status {
				key := (&Need{Step: u.Step, Instance: strings.TrimPrefix(u.Instance, expr.All)}).key()
				lifted[key] = u.At
				s.need(u.Step, u.Instance, program.NeedStatus, u.At)
			}
		}
	}
	for _, b := range s.bindings() {
		for _, u := range b.value.Uses {
			c.useNeed(p, s, u, u.Soft || b.soft, lifted)
		}
	}
	for _, d := range c.dependsOn(p, s) {
		s.need(d.Step, "", program.NeedOrder, d.At)
	}
	for name := range lifted {
		s.Needs[name].Kind = program.NeedStatus
	}
}

func (c *checker) useNeed(p *Pipeline, s *Step, u Use, soft bool, lifted map[string]hcl.Range) {
	if u.Step == "" {
		return
	}
	mention, isLifted := lifted[(&Need{Step: u.Step, Instance: strings.TrimPrefix(u.Instance, expr.All)}).key()]
	target := p.byName[u.Step]
	switch {
	case u.Status && (isLifted || s.Finally && !target.Finally):
		s.need(u.Step, u.Instance, program.NeedStatus, u.At)
	case u.Status:
		s.need(u.Step, u.Instance, program.NeedOrder, u.At)
	case soft:
		s.need(u.Step, u.Instance, program.NeedSoft, u.At)
	case isLifted && !c.hasDefault(target, u):
		c.diags.Add(diag.New("skipped-reference", u.At, "%s may not be there: this step starts whether or not %q has succeeded", u.Ref, u.Step).
			WithRelated(mention, "mentioning its status here lifts the requirement that it has").
			WithSuggestion("give the input a default, or write coalesce(%s, …)", u.Ref))
	case isLifted:
		s.need(u.Step, u.Instance, program.NeedSoft, u.At)
	case c.hasDefault(target, u):
		s.need(u.Step, u.Instance, program.NeedSoft, u.At)
	default:
		s.need(u.Step, u.Instance, program.NeedOutput, u.At)
	}
}

// hasDefault says whether the output that is read has a default, which is read where its step was skipped.
func (c *checker) hasDefault(target *Step, u Use) bool {
	out := target.outputs[u.Output]
	return out != nil && out.Default != cty.NilVal
}

// binding is one value of a step, and whether all in it is soft.
type binding struct {
	value *Value
	soft  bool
}

func (s *Step) bindings() []binding {
	var out []binding
	add := func(v *Value, soft bool) {
		if v != nil {
			out = append(out, binding{v, soft})
		}
	}
	if s.ForEach != nil {
		add(s.ForEach.Value, false)
	}
	add(s.When, false)
	if s.Approval != nil {
		add(s.Approval.Message, false)
	}
	for _, in := range s.Inputs {
		add(in.Value, in.Default != cty.NilVal)
	}
	for _, v := range s.Command {
		add(v, false)
	}
	add(s.CommandList, false)
	for _, name := range evaluate.Names(s.Env) {
		add(s.Env[name], false)
	}
	if s.Repeat != nil {
		add(s.Repeat.Until, false)
		for _, name := range evaluate.Names(s.Repeat.Carry) {
			add(s.Repeat.Carry[name], false)
		}
	}
	return out
}

// dependsOn reads depends_on: a list of steps.
func (c *checker) dependsOn(p *Pipeline, s *Step) []Use {
	e := s.Block.Attr("depends_on")
	if e == nil {
		return nil
	}
	items, hclDiags := hcl.ExprList(e)
	if hclDiags.HasErrors() {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "`depends_on` is a list of steps: depends_on = [step.NAME]"))
		return nil
	}
	var out []Use
	sc := scope{c: c, p: p, step: s}
	for _, item := range items {
		t, hclDiags := hcl.AbsTraversalForExpr(item)
		switch {
		case hclDiags.HasErrors() || t.RootName() != "step" || len(t) != 2:
			d := diag.New("type-mismatch", item.Range(), "a step is wanted here: step.NAME")
			if !hclDiags.HasErrors() && t.RootName() == "step" && len(t) > 2 {
				d = d.WithDetail("depends_on waits for a whole step; a reference to an output waits by itself.")
			}
			c.diags.Add(d)
		default:
			name, ok := sc.name(t, "step")
			target := p.byName[name]
			switch {
			case !ok:
			case target == nil:
				sc.unknown(t, "step", "step.", name, among(p.byName))
			case target.Finally && !s.Finally:
				c.diags.Add(diag.New("out-of-place", item.Range(), "step.%s is in finally, which runs after all steps have ended", name))
			default:
				out = append(out, Use{Step: name, At: item.Range()})
			}
		}
	}
	return out
}
