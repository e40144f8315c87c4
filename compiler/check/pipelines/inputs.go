package pipelines

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// inputs checks the `input` blocks of the step.
func (c stepCheck) inputs() {
	for _, b := range c.step.Block.All("input") {
		if first := c.step.Input(b.Label); first != nil {
			c.duplicate(b, first.Block)
			continue
		}
		in := &model.Input{Block: b}
		c.step.AddInput(in)
		if want, ok := c.inputType(in); ok {
			c.inputValue(in, want)
		}
	}
}

// inputType returns the declared type of an input, or cty.NilType if it follows from the value. The inputs of a call have the
// types of the params of the pipeline that is called. ok is false if the type is invalid.
func (c stepCheck) inputType(in *model.Input) (t cty.Type, ok bool) {
	b, param := in.Block, cty.NilType
	if c.step.Callee != nil {
		q := c.step.Callee.Params[b.Label]
		if q == nil {
			callCheck{c}.unknownParam(b)
			return cty.NilType, false
		}
		param, in.Inside = q.Type, q.Inside
	}
	e := b.Attr("type")
	if e == nil {
		return param, true
	}
	t, defaults, ok := c.project.TypeWith(e)
	if !ok {
		return cty.NilType, false
	}
	if param == cty.NilType {
		in.Inside = defaults
		return t, true
	}
	if m := types.Assignable(t, param); m != nil {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "param %q of pipeline %q is %s, found %s", b.Label, c.step.Callee.Block.Label, types.Phrase(param), types.Phrase(t)))
	}
	return param, true
}

// inputValue checks the value and the default of an input. If the input has a default, whatever it reads of other steps and
// earlier runs may be missing.
func (c stepCheck) inputValue(in *model.Input, want cty.Type) {
	e := in.Block.Attr("value")
	if e == nil {
		return
	}
	in.Type = want
	written, ok := c.values.LastSuccess(e)
	if !ok {
		return
	}
	v := c.values.ValueFor(c.step, language.Runtime, written, want)
	if v == nil {
		return
	}
	if want == cty.NilType {
		if want, ok = c.annotated().inputType(in.Block.Label, v, e); !ok {
			return
		}
	}
	if v.Const != cty.NilVal && in.Inside != nil {
		v = model.Constant(in.Inside.Apply(v.Written))
	}
	if !c.values.Assign(v, want, e, attribute.TypeRange(in.Block, hcl.Range{})) {
		return
	}
	in.Type, in.Value = want, v
	d, ok := c.values.DefaultWith(in.Block, want, in.Inside, in.Block.LabelRange)
	if !ok {
		return
	}
	in.Default = d
	for i := range v.Uses {
		v.Uses[i].Soft = v.Uses[i].CanLack()
	}
}
