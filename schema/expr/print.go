package expr

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Print returns the canonical form of an expression: no comments, no newlines, single spaces, double quotes for every string and
// heredoc, and parentheses only if they are needed. Two sources with the same tree have the same text, and parsing the text gives
// the tree again.
func Print(e hclsyntax.Expression) (string, error) {
	var p printer
	p.expr(e)
	return p.b.String(), p.err
}

// PrintFrom is like Print, and writes numbers with the text that they have in the sources: 1.0 and not 1.
func PrintFrom(e hclsyntax.Expression, sources Sources) (string, error) {
	p := printer{sources: sources}
	p.expr(e)
	return p.b.String(), p.err
}

type printer struct {
	b       strings.Builder
	sources Sources // nil: numbers are written with their shortest digits
	err     error
}

func (p *printer) write(s string) { p.b.WriteString(s) }

func (p *printer) expr(e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		if text, ok := p.sources.number(e); ok {
			p.write(text)
			return
		}
		p.literal(e.Val)
	case *hclsyntax.TemplateExpr:
		if len(e.Parts) == 1 {
			if c, ok := e.Parts[0].(*hclsyntax.ConditionalExpr); ok { // "%{ if a }b%{ endif }": both branches are text
				p.expr(c)
				return
			}
		}
		p.write(`"`)
		p.templateParts(e.Parts)
		p.write(`"`)
	case *hclsyntax.TemplateWrapExpr:
		p.expr(e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		p.write(`"`)
		p.templatePart(e)
		p.write(`"`)
	case *hclsyntax.ScopeTraversalExpr:
		p.traversal(e.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		p.primary(e.Source)
		p.traversal(e.Traversal)
	case *hclsyntax.FunctionCallExpr:
		p.call(e)
	case *hclsyntax.ConditionalExpr:
		p.operand(e.Condition)
		p.write(" ? ")
		p.operand(e.TrueResult)
		p.write(" : ")
		p.operand(e.FalseResult)
	case *hclsyntax.IndexExpr:
		p.primary(e.Collection)
		p.write("[")
		p.expr(e.Key)
		p.write("]")
	case *hclsyntax.TupleConsExpr:
		p.write("[")
		p.list(e.Exprs)
		p.write("]")
	case *hclsyntax.ObjectConsExpr:
		p.object(e)
	case *hclsyntax.ObjectConsKeyExpr:
		p.objectKey(e)
	case *hclsyntax.ForExpr:
		p.forExpr(e)
	case *hclsyntax.SplatExpr:
		p.primary(e.Source)
		p.write("[*]")
		p.expr(e.Each)
	case *hclsyntax.AnonSymbolExpr:
		// the element of a splat: what follows is written right behind [*]
	case *hclsyntax.BinaryOpExpr:
		p.computed(e.LHS)
		p.write(" " + binaryOperators[e.Op] + " ")
		p.computed(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		if e.Op == hclsyntax.OpNegate || e.Op == opNegate {
			p.write("-")
		} else {
			p.write("!")
		}
		p.operand(e.Val)
	case *hclsyntax.ParenthesesExpr:
		p.expr(e.Expression)
	default:
		p.err = fmt.Errorf("an expression of kind %T can't be kept for run time", e)
	}
}

var binaryOperators = map[*hclsyntax.Operation]string{
	hclsyntax.OpLogicalOr: "||", hclsyntax.OpLogicalAnd: "&&", hclsyntax.OpEqual: "==", hclsyntax.OpNotEqual: "!=",
	hclsyntax.OpGreaterThan: ">", hclsyntax.OpGreaterThanOrEqual: ">=", hclsyntax.OpLessThan: "<",
	hclsyntax.OpLessThanOrEqual: "<=", hclsyntax.OpAdd: "+", hclsyntax.OpSubtract: "-", hclsyntax.OpMultiply: "*",
	hclsyntax.OpDivide: "/", hclsyntax.OpModulo: "%", OpEqual: "==", OpNotEqual: "!=", OpAnd: "&&", OpOr: "||",
	opAdd: "+", opSubtract: "-", opMultiply: "*", opDivide: "/", opModulo: "%",
}

// Bare removes syntax without meaning: parentheses, and a template that consists of one interpolation.
func Bare(e hclsyntax.Expression) hclsyntax.Expression {
	for {
		switch inner := e.(type) {
		case *hclsyntax.ParenthesesExpr:
			e = inner.Expression
		case *hclsyntax.TemplateWrapExpr:
			e = inner.Wrapped
		default:
			return e
		}
	}
}

// operand writes an operand of an operator.
func (p *printer) operand(e hclsyntax.Expression) {
	switch e := Bare(e).(type) {
	case *hclsyntax.BinaryOpExpr, *hclsyntax.ConditionalExpr, *hclsyntax.UnaryOpExpr:
		p.parens(e)
	case *hclsyntax.LiteralValueExpr:
		if e.Val.Type() == cty.Number && !e.Val.IsNull() && e.Val.AsBigFloat().Sign() < 0 {
			p.parens(e)
			return
		}
		p.expr(e)
	default:
		p.expr(e)
	}
}

// computed writes an operand of which only the value matters: a number has its shortest digits, so that x + 1.0 and x + 1 have one text.
func (p *printer) computed(e hclsyntax.Expression) {
	if l, ok := Bare(e).(*hclsyntax.LiteralValueExpr); ok && l.Val.Type() == cty.Number {
		bare := printer{}
		bare.operand(l)
		p.write(bare.b.String())
		return
	}
	p.operand(e)
}

// primary writes what an index, an attribute or a splat follows.
func (p *printer) primary(e hclsyntax.Expression) {
	switch e := Bare(e).(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.FunctionCallExpr, *hclsyntax.IndexExpr, *hclsyntax.TupleConsExpr,
		*hclsyntax.ObjectConsExpr, *hclsyntax.ForExpr, *hclsyntax.RelativeTraversalExpr, *hclsyntax.AnonSymbolExpr:
		p.expr(e)
	default:
		p.parens(e) // a splat too: (a[*].b)[0] and a[*].b[0] differ
	}
}

func (p *printer) parens(e hclsyntax.Expression) {
	p.write("(")
	p.expr(e)
	p.write(")")
}

func (p *printer) list(exprs []hclsyntax.Expression) {
	for i, e := range exprs {
		if i > 0 {
			p.write(", ")
		}
		p.expr(e)
	}
}

func (p *printer) call(e *hclsyntax.FunctionCallExpr) {
	p.write(e.Name + "(")
	p.list(e.Args)
	if e.ExpandFinal {
		p.write("...")
	}
	p.write(")")
}

func (p *printer) object(e *hclsyntax.ObjectConsExpr) {
	if len(e.Items) == 0 {
		p.write("{}")
		return
	}
	p.write("{ ")
	for i, item := range e.Items {
		if i > 0 {
			p.write(", ")
		}
		p.expr(item.KeyExpr)
		p.write(" = ")
		p.expr(item.ValueExpr)
	}
	p.write(" }")
}

// objectKey writes a name as a quoted string, and everything else in parentheses.
func (p *printer) objectKey(e *hclsyntax.ObjectConsKeyExpr) {
	if kw := hcl.ExprAsKeyword(e.Wrapped); kw != "" && !e.ForceNonLiteral {
		p.quoted(kw)
		return
	}
	switch inner := Bare(e.Wrapped).(type) {
	case *hclsyntax.TemplateExpr:
		p.expr(inner)
	default:
		p.parens(inner)
	}
}

func (p *printer) forExpr(e *hclsyntax.ForExpr) {
	object := e.KeyExpr != nil
	if object {
		p.write("{for ")
	} else {
		p.write("[for ")
	}
	if e.KeyVar != "" {
		p.write(e.KeyVar + ", ")
	}
	p.write(e.ValVar + " in ")
	p.expr(e.CollExpr)
	p.write(" : ")
	if object {
		p.expr(e.KeyExpr)
		p.write(" => ")
	}
	p.expr(e.ValExpr)
	if e.Group {
		p.write("...")
	}
	if e.CondExpr != nil {
		p.write(" if ")
		p.expr(e.CondExpr)
	}
	if object {
		p.write("}")
	} else {
		p.write("]")
	}
}

func (p *printer) traversal(t hcl.Traversal) {
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			p.write(step.Name)
		case hcl.TraverseAttr:
			p.write("." + step.Name)
		case hcl.TraverseIndex:
			p.write("[")
			p.literal(step.Key)
			p.write("]")
		default:
			p.err = fmt.Errorf("a traversal of kind %T can't be kept for run time", step)
		}
	}
}

func (p *printer) literal(v cty.Value) {
	switch {
	case v.IsNull():
		p.write("null")
	case v.Type() == cty.String:
		p.quoted(v.AsString())
	case v.Type() == cty.Bool:
		if v.True() {
			p.write("true")
		} else {
			p.write("false")
		}
	case v.Type() == cty.Number:
		p.write(number(v.AsBigFloat()))
	default:
		p.err = fmt.Errorf("a literal %s can't be kept for run time", v.Type().FriendlyName())
	}
}

func number(f *big.Float) string {
	if f.IsInt() && f.MinPrec() < 256 {
		return f.Text('f', 0)
	}
	return f.Text('g', -1)
}

func (p *printer) quoted(s string) {
	p.write(`"`)
	types.WriteText(&p.b, s)
	p.write(`"`)
}

func (p *printer) templateParts(parts []hclsyntax.Expression) {
	for _, part := range parts {
		p.templatePart(part)
	}
}

func (p *printer) templatePart(e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		if e.Val.Type() == cty.String && !e.Val.IsNull() {
			types.WriteText(&p.b, e.Val.AsString())
			return
		}
	case *hclsyntax.TemplateJoinExpr:
		if f, ok := e.Tuple.(*hclsyntax.ForExpr); ok {
			p.templateFor(f)
			return
		}
	}
	p.write("${")
	p.expr(e)
	p.write("}")
}

// templateFor writes %{ for … }…%{ endfor }.
func (p *printer) templateFor(f *hclsyntax.ForExpr) {
	p.write("%{ for ")
	if f.KeyVar != "" {
		p.write(f.KeyVar + ", ")
	}
	p.write(f.ValVar + " in ")
	p.expr(f.CollExpr)
	p.write(" }")
	if body, ok := f.ValExpr.(*hclsyntax.TemplateExpr); ok {
		p.templateParts(body.Parts)
	} else {
		p.templatePart(f.ValExpr)
	}
	p.write("%{ endfor }")
}
