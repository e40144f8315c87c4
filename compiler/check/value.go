package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// value checks an expression of a pipeline and finds whether it waits for run time. nil: it is faulty, and that is told.
func (c *checker) value(p *Pipeline, s *Step, kind language.Kind, e hcl.Expression) *Value {
	return c.valueIn(&scope{c: c, p: p, step: s, kind: kind}, e)
}

// valueIn is value, in a scope.
func (c *checker) valueIn(sc *scope, e hcl.Expression) *Value {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		c.diags.Add(diag.New("syntax", e.Range(), "this expression is not in HCL's own syntax"))
		return nil
	}
	t := infer.Type(node, sc, c.diags)
	if t == cty.NilType {
		return nil
	}
	v := &Value{Type: t, Uses: sc.uses, Node: node}
	if v.runtime() {
		if !c.keepable(v) {
			return nil
		}
		return v
	}
	got, ok := c.world.Value(node)
	if !ok {
		return nil
	}
	if evaluate.IsSensitive(got) {
		c.diags.Add(c.world.SensitiveFault(node))
		return nil
	}
	v.Const, v.Type, v.Node, v.Uses = got, got.Type(), nil, nil
	return v
}

func (v *Value) runtime() bool {
	for _, u := range v.Uses {
		if !u.Const {
			return true
		}
	}
	return false
}

// keepable tells what can't be in an expression that waits for run time: files, and what is sensitive.
func (c *checker) keepable(v *Value) bool {
	good := true
	_ = hclsyntax.VisitAll(v.Node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if ok && evaluate.IsFileFunction(call.Name) {
			good = false
			c.diags.Add(diag.New("not-constant", call.Range(), "%s is read when compiling, and this expression waits for run time", call.Name).
				WithSuggestion("name its value in locals, and use local.NAME here"))
		}
		return nil
	})
	for _, u := range v.Uses {
		if u.Const && evaluate.IsSensitive(c.constant(u.Ref)) {
			c.diags.Add(c.world.SensitiveFault(v.Node))
			return false
		}
	}
	return good
}

// wanted checks that v, the value of e, can be given to what is of type want, and converts a constant. via is the place
// of the want: where the type is declared; it may be empty.
func (c *checker) wanted(v *Value, want cty.Type, e hcl.Expression, via hcl.Range) bool {
	if v == nil || want == cty.NilType {
		return false
	}
	if v.Const != cty.NilVal {
		got, err := types.Convert(evaluate.Texts(e, v.Const, want), want)
		if err != nil {
			c.mismatch(v, want, e, via, err)
			return false
		}
		v.Const = got
		return true
	}
	if want == cty.String && v.Type != cty.String && evaluate.IsTemplate(e) && (v.Type.IsPrimitiveType() || v.Type == cty.DynamicPseudoType) {
		v.text()
	}
	if m := types.Assignable(v.Type, want); m != nil {
		c.mismatch(v, want, e, via, m)
		return false
	}
	return true
}

// text makes text of "${x}", as of every template, where x is a number or a bool.
func (v *Value) text() {
	at := v.Node.Range()
	v.Node = &hclsyntax.FunctionCallExpr{
		Name: "tostring", Args: []hclsyntax.Expression{v.Node}, NameRange: at, OpenParenRange: at, CloseParenRange: at,
	}
	v.Type = cty.String
}

// mismatch tells an edge whose ends don't fit, with both of them.
func (c *checker) mismatch(v *Value, want cty.Type, e hcl.Expression, via hcl.Range, err error) {
	d := evaluate.Mismatch(e, v.Type, want, err)
	if via.Filename != "" {
		d = d.WithRelated(via, "it is declared as %s", types.String(want))
	}
	for _, u := range v.Uses {
		if out := c.producer(u); out != nil {
			d = d.WithRelated(typeRange(out), "%s is %s", u.Ref, types.Phrase(out.Type))
		}
	}
	c.diags.Add(d)
}

// producer is the output that a reference reads, or nil.
func (c *checker) producer(u Use) *Output {
	if u.Step == "" || u.Status {
		return nil
	}
	s := c.current.byName[u.Step]
	if s == nil {
		return nil
	}
	return s.outputs[u.Output]
}

func typeRange(o *Output) hcl.Range {
	if e := o.Block.Attr("type"); e != nil {
		return e.Range()
	}
	return o.Block.LabelRange
}

// constant is the value of "var.x" or "local.x".
func (c *checker) constant(ref string) cty.Value {
	v, _ := c.world.Named(ref)
	return v
}
