package pipelines

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// paramRules checks which values the params allow: `enum` and the `validation` blocks. Whether known values are among them is checked
// with the program.
func paramRules(c context) {
	for _, name := range evaluate.Names(c.pipeline.Params) {
		q := c.pipeline.Params[name]
		if q.Type == cty.NilType {
			continue
		}
		rules := q.Block.All("validation")
		if types.HasArtifact(q.Type) {
			c.noRules(q, rules)
			continue
		}
		c.enum(q)
		used := q.Used
		for _, b := range rules {
			c.rule(q, b)
		}
		q.Used = used // its own validation does not count
	}
}

// noRules reports rules for the value of an artifact.
func (c context) noRules(q *model.Param, rules []*decode.Block) {
	at := []hcl.Range{}
	if a := q.Block.Attrs["enum"]; a != nil {
		at = append(at, a.NameRange)
	}
	for _, b := range rules {
		at = append(at, b.DefRange)
	}
	for _, r := range at {
		c.diags.Add(diag.New("out-of-place", r, "`enum` and `validation` apply to values, and param %q is %s", q.Block.Label, types.Phrase(q.Type)).
			WithSuggestion("check the artifact in a step"))
	}
}

func (c context) enum(q *model.Param) {
	e := q.Block.Attr("enum")
	if e == nil {
		return
	}
	v, ok := c.project.Constants.Written(e)
	switch {
	case !ok || v.IsNull():
		return
	case evaluate.IsSensitive(v):
		c.diags.Add(c.project.Values.SensitiveFault(e))
		return
	}
	v, part := types.Unmark(v)
	if t := v.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "`enum` must be a list of values, found %s", types.Phrase(t)))
		return
	}
	if v.LengthInt() == 0 {
		c.diags.Add(diag.New("invalid-value", e.Range(), "`enum` can't be empty: no value would be allowed"))
		return
	}
	for i, it := 0, v.ElementIterator(); it.Next(); i++ {
		_, elem := it.Element()
		at := evaluate.Element(e, i)
		if elem.IsNull() {
			c.diags.Add(diag.New("null-value", at.Range(), "`enum` can't contain null").WithSuggestion("set default = null to allow it"))
			continue
		}
		one := model.Constant(part(elem))
		if c.values.Assign(one, q.Type, at, attribute.TypeRange(q.Block, q.Block.LabelRange)) {
			q.Enum = append(q.Enum, one.Written)
		}
	}
}

// rule checks a `validation` block, whose attributes can read the param alone.
func (c context) rule(q *model.Param, b *decode.Block) {
	condition, message := c.ruleValue(q, b, "condition", cty.Bool), c.ruleValue(q, b, "error_message", cty.String)
	if condition != nil && message != nil {
		q.Rules = append(q.Rules, model.Rule{Condition: condition, Message: message})
	}
}

// ruleValue checks one attribute of a `validation` block. It returns nil if the attribute is missing or has an error.
func (c context) ruleValue(q *model.Param, b *decode.Block, name string, want cty.Type) *model.Value {
	e := b.Attr(name)
	if e == nil {
		return nil
	}
	v := c.values.Value(nil, language.Runtime, e)
	if !c.values.Assign(v, want, e, hcl.Range{}) {
		return nil
	}
	for _, u := range v.Uses {
		if !u.Const && u.Ref != "param."+q.Block.Label {
			c.diags.Add(diag.New("out-of-place", u.At, "a validation of a param can only refer to the param itself: param.%s", q.Block.Label))
			return nil
		}
	}
	return v
}
