package values

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

// Assign checks that v, the value of x, can be assigned to something of type want, and converts v if it is a constant.
// declared is where the type is declared; it may be empty. Assign returns false without a diagnostic if v is nil or want is
// cty.NilType, which has been reported before.
func (e *Evaluator) Assign(v *model.Value, want cty.Type, x hcl.Expression, declared hcl.Range) bool {
	if v == nil || want == cty.NilType {
		return false
	}
	if v.Const != cty.NilVal {
		got, err := types.Convert(evaluate.Texts(x, v.Written, want), want)
		if err != nil {
			e.mismatch(v, want, x, declared, err)
			return false
		}
		v.Const, v.Written = types.Computed(got), got
		return true
	}
	if want == cty.String && v.Type != cty.String && evaluate.IsTemplate(x) && (v.Type.IsPrimitiveType() || v.Type == cty.DynamicPseudoType) {
		toText(v)
	}
	if m := types.Assignable(v.Type, want); m != nil {
		e.mismatch(v, want, x, declared, m)
		return false
	}
	return true
}

// toText makes the result of "${x}" a string, as that of every other template, if x is a number or a bool.
func toText(v *model.Value) {
	at := v.Node.Range()
	v.Node = &hclsyntax.FunctionCallExpr{
		Name: "tostring", Args: []hclsyntax.Expression{v.Node}, NameRange: at, OpenParenRange: at, CloseParenRange: at,
	}
	v.Type = cty.String
}

// mismatch reports a value that does not fit, with the place of the declared type and those of the outputs that it reads.
func (e *Evaluator) mismatch(v *model.Value, want cty.Type, x hcl.Expression, declared hcl.Range, err error) {
	d := evaluate.Mismatch(x, v.Type, want, err, e.project.Scope.Source)
	if declared.Filename != "" {
		d = d.WithRelated(declared, "it is declared as %s", types.String(want))
	}
	for _, u := range v.Uses {
		if out := e.producer(u); out != nil {
			d = d.WithRelated(attribute.TypeRange(out.Block, out.Block.LabelRange), "%s is %s", u.Ref, types.Phrase(out.Type))
		}
	}
	e.diags.Add(d)
}

// producer returns the output that a reference reads, or nil.
func (e *Evaluator) producer(u model.Use) *model.Output {
	if u.Step == "" || u.Status {
		return nil
	}
	s := e.pipeline.Step(u.Step)
	if s == nil {
		return nil
	}
	return s.Output(u.Output)
}

// Default returns the attribute `default` of a block, converted to a type, and its numbers carry their text; null is allowed. declared is as in Assign, for a
// block without the attribute `type`. ok is false if the attribute is missing or invalid.
func (e *Evaluator) Default(b *decode.Block, want cty.Type, declared hcl.Range) (v cty.Value, ok bool) {
	return e.DefaultWith(b, want, nil, declared)
}

// DefaultWith is Default for a type with defaults.
func (e *Evaluator) DefaultWith(b *decode.Block, want cty.Type, inside *types.Defaults, declared hcl.Range) (v cty.Value, ok bool) {
	x := b.Attr("default")
	if x == nil || want == cty.NilType {
		return cty.NilVal, false
	}
	v, ok = e.project.Constants.Written(x)
	if !ok {
		return cty.NilVal, false
	}
	if evaluate.IsSensitive(v) {
		e.diags.Add(e.project.Values.SensitiveFault(x))
		return cty.NilVal, false
	}
	if v.IsNull() {
		return cty.NullVal(want.WithoutOptionalAttributesDeep()), true
	}
	got := model.Constant(inside.Apply(v))
	if !e.Assign(got, want, x, attribute.TypeRange(b, declared)) {
		return cty.NilVal, false
	}
	return got.Written, true
}
