package pipelines

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// repeat checks the block `repeat`, which runs a step in rounds.
func (c stepCheck) repeat() {
	b := c.step.Block.One("repeat")
	if b == nil {
		return
	}
	r := &model.Repeat{Carry: map[string]*model.Value{}}
	c.step.Repeat = r
	if n, ok := c.project.Attributes.Int(b, "max", 1); ok {
		r.Max = n
	}
	if e := b.Attr("until"); e != nil {
		if v := c.values.Round(c.step, e); c.values.Assign(v, cty.Bool, e, hcl.Range{}) {
			r.Until = v
		}
	}
	e := b.Attr("carry")
	if e == nil {
		return
	}
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "`carry` must be a map from inputs to values: carry = { INPUT = output.NAME }"))
		return
	}
	seen := map[string]hcl.Range{}
	for _, item := range object.Items {
		c.carry(r, item, seen)
	}
}

// carry checks one input that a round takes from the round before it.
func (c stepCheck) carry(r *model.Repeat, item hclsyntax.ObjectConsItem, seen map[string]hcl.Range) {
	at := item.KeyExpr.Range()
	name := evaluate.KeyName(item.KeyExpr)
	if first, twice := seen[name]; twice {
		c.diags.Add(diag.New("duplicate", at, "%s is set twice in `carry`", name).WithRelated(first, "it is first set here"))
		return
	}
	seen[name] = at
	in := c.step.Input(name)
	if in == nil {
		names := c.step.InputNames()
		d := diag.New("unknown-reference", at, "no input of this step is named %q", name).DidYouMean(name, names)
		if d.Suggestion == "" {
			d = d.WithDetail("%s", evaluate.Listed("Declared", names))
		}
		c.diags.Add(d)
		return
	}
	v := c.values.Round(c.step, item.ValueExpr)
	if v != nil && in.Type != cty.NilType && c.values.Assign(v, in.Type, item.ValueExpr, attribute.TypeRange(in.Block, in.Block.LabelRange)) {
		r.Carry[name] = v
	}
}
