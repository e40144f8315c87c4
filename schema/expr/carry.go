package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// carrying replaces the nodes of an expression that would lose the text of values that pass through it (see types.FromJSON), or would
// give it to others: what is computed gets no text of what it is computed from. choosing must have been called before. The expression must not
// be used otherwise.
func carrying(e hclsyntax.Expression) hclsyntax.Expression {
	_ = hclsyntax.Walk(e, carrier{})
	return carried(e)
}

// carrier replaces the children of each node after it has replaced theirs.
type carrier struct{}

func (carrier) Enter(hclsyntax.Node) hcl.Diagnostics { return nil }

func (carrier) Exit(n hclsyntax.Node) hcl.Diagnostics {
	switch n := n.(type) {
	case *hclsyntax.LiteralValueExpr:
		literalForm(n)
	case *hclsyntax.TemplateExpr:
		if !n.IsStringLiteral() {
			n.Parts = []hclsyntax.Expression{&template{TemplateExpr: &hclsyntax.TemplateExpr{Parts: carriedAll(n.Parts), SrcRange: n.SrcRange}}}
		}
	case *hclsyntax.TemplateWrapExpr:
		n.Wrapped = carried(n.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		n.Tuple = &joined{Expression: around(carried(n.Tuple))}
	case *hclsyntax.ParenthesesExpr:
		n.Expression = carried(n.Expression)
	case *hclsyntax.BinaryOpExpr:
		n.LHS, n.RHS = computing(n.LHS), computing(n.RHS)
	case *hclsyntax.UnaryOpExpr:
		if _, ok := negative(n); !ok {
			n.Val = computing(n.Val)
		}
	case *choice: // as all conditionals are
		n.Condition, n.TrueResult, n.FalseResult = computing(n.Condition), carried(n.TrueResult), carried(n.FalseResult)
	case *hclsyntax.IndexExpr:
		n.Collection, n.Key = carried(n.Collection), computing(n.Key)
	case *hclsyntax.RelativeTraversalExpr:
		n.Source = carried(n.Source)
	case *hclsyntax.SplatExpr:
		n.Source, n.Each = carried(n.Source), carried(n.Each)
	case *hclsyntax.TupleConsExpr:
		n.Exprs = carriedAll(n.Exprs)
	case *hclsyntax.ObjectConsExpr:
		for i := range n.Items {
			n.Items[i].ValueExpr = carried(n.Items[i].ValueExpr)
		}
	case *hclsyntax.ObjectConsKeyExpr:
		n.Wrapped = carried(n.Wrapped)
	case *hclsyntax.ForExpr:
		carriedFor(n)
	case *hclsyntax.FunctionCallExpr:
		n.Args = arguments(n)
	}
	return nil
}

// carried returns the node to evaluate instead of e, whose children have been replaced.
func carried(e hclsyntax.Expression) hclsyntax.Expression {
	switch e := e.(type) {
	case *hclsyntax.FunctionCallExpr:
		return call(e)
	case *hclsyntax.UnaryOpExpr:
		if n, ok := negative(e); ok {
			return n
		}
	}
	return e
}

func carriedAll(list []hclsyntax.Expression) []hclsyntax.Expression {
	for i := range list {
		list[i] = carried(list[i])
	}
	return list
}

// around returns e in parentheses. A node that embeds them has e as its child, so that e is found when the tree is walked.
func around(e hclsyntax.Expression) hclsyntax.Expression {
	return &hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}
}

// literalForm marks a literal that is not ASCII, so that it doesn't get the form of another value.
func literalForm(e *hclsyntax.LiteralValueExpr) {
	if e.Val.IsMarked() || e.Val.IsNull() || e.Val.Type() != cty.String {
		return
	}
	e.Val = types.Replaced(e.Val, e.Val.AsString())
}

// computed evaluates to a value from which another one is computed: it has no forms.
type computed struct{ hclsyntax.Expression }

func (e *computed) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := e.Expression.Value(ctx)
	return types.Computed(v), diags
}

func computing(e hclsyntax.Expression) hclsyntax.Expression {
	if l, ok := e.(*hclsyntax.LiteralValueExpr); ok && !l.Val.IsMarked() {
		return e
	}
	return &computed{around(carried(e))}
}

// fixed is an expression that has been evaluated.
type fixed struct {
	hclsyntax.Expression
	v     cty.Value
	diags hcl.Diagnostics
}

func (e *fixed) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) { return e.v, e.diags }

func fix(e hclsyntax.Expression, ctx *hcl.EvalContext) *fixed {
	v, diags := e.Value(ctx)
	return &fixed{around(e), v, diags}
}

// carriedFor has the variables of a `for` carry the forms that the collection has.
func carriedFor(e *hclsyntax.ForExpr) {
	c := &spread{Expression: around(carried(e.CollExpr))}
	e.CollExpr = c
	part := func(p hclsyntax.Expression) hclsyntax.Expression {
		return &element{Expression: around(p), of: c, names: [2]string{e.KeyVar, e.ValVar}}
	}
	if e.KeyExpr != nil {
		e.KeyExpr = part(carried(e.KeyExpr))
	}
	if e.CondExpr != nil {
		e.CondExpr = part(computing(e.CondExpr))
	}
	e.ValExpr = part(carried(e.ValExpr))
}

// spread is the collection of a `for`. HCL would give the marks of the collection to the result as a whole.
type spread struct {
	hclsyntax.Expression
	part    func(cty.Value) cty.Value
	indexed bool // the keys of its elements are their indexes, and not parts of it
}

func (e *spread) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	v, diags := e.Expression.Value(ctx)
	v, e.part = types.Spread(v)
	e.indexed = v.Type().IsListType() || v.Type().IsTupleType()
	return v, diags
}

// element is a part of a `for` that is evaluated for each element.
type element struct {
	hclsyntax.Expression
	of    *spread
	names [2]string // of the key, which may be "", and of the value
}

func (e *element) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if e.of.part != nil {
		for i, name := range e.names {
			if v, ok := ctx.Variables[name]; ok && !(i == 0 && e.of.indexed) {
				ctx.Variables[name] = e.of.part(v) // ctx is for this element alone
			}
		}
	}
	return e.Expression.Value(ctx)
}
