package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
)

// repeat checks the rounds of a step.
func (c *checker) repeat(p *Pipeline, s *Step) {
	b := s.Block.One("repeat")
	if b == nil {
		return
	}
	r := &Repeat{Carry: map[string]*Value{}}
	s.Repeat = r
	if n, ok := c.world.Int(b, "max", 1); ok {
		r.Max = n
	}
	if e := b.Attr("until"); e != nil {
		if r.Until = c.round(p, s, e); r.Until != nil && !c.wanted(r.Until, cty.Bool, e, hcl.Range{}) {
			r.Until = nil
		}
	}
	e := b.Attr("carry")
	if e == nil {
		return
	}
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "`carry` names inputs: carry = { INPUT = output.NAME }"))
		return
	}
	places := map[string]hcl.Range{}
	for _, item := range object.Items {
		c.carry(p, s, r, item, places)
	}
}

func (c *checker) carry(p *Pipeline, s *Step, r *Repeat, item hclsyntax.ObjectConsItem, places map[string]hcl.Range) {
	at := item.KeyExpr.Range()
	name := evaluate.KeyName(item.KeyExpr)
	if first, twice := places[name]; twice {
		c.diags.Add(diag.New("duplicate", at, "%s is carried twice", name).WithRelated(first, "the first time is here"))
		return
	}
	places[name] = at
	in := s.inputs[name]
	if in == nil {
		names := evaluate.Names(s.inputs)
		d := diag.New("unknown-reference", at, "no input of this step is named %q", name).DidYouMean(name, names)
		if d.Suggestion == "" {
			d = d.WithDetail("%s", evaluate.Listed("There are", names))
		}
		c.diags.Add(d)
		return
	}
	v := c.round(p, s, item.ValueExpr)
	if v != nil && in.Type != cty.NilType && c.wanted(v, in.Type, item.ValueExpr, typePlace(in.Block, in.Block.LabelRange)) {
		r.Carry[name] = v
	}
}

// round is a value that reads what a round has left.
func (c *checker) round(p *Pipeline, s *Step, e hcl.Expression) *Value {
	return c.valueIn(&scope{c: c, p: p, step: s, kind: language.Own, round: true}, e)
}
