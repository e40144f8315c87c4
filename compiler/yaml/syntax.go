package yaml

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
)

// syntax converts the tree to what HCL's parser would return for the same project.
type syntax struct {
	places *places
	out    *Source
	diags  *diag.List
}

func (s *syntax) body(b *Body) *hclsyntax.Body {
	out := &hclsyntax.Body{
		Attributes: make(hclsyntax.Attributes, len(b.Items)),
		SrcRange:   s.places.at(b.Start, max(b.Start, b.End)),
		EndRange:   s.places.at(b.End, b.End),
	}
	for _, item := range b.Items {
		if item.Body != nil {
			out.Blocks = append(out.Blocks, s.block(item))
			continue
		}
		name := s.places.span(item.name)
		e := s.expression(item.Value)
		out.Attributes[item.Name] = &hclsyntax.Attribute{
			Name: item.Name, Expr: e, NameRange: name, EqualsRange: s.places.at(item.name.end, item.name.end),
			SrcRange: s.places.at(item.Start, max(item.Start, item.End)),
		}
	}
	if len(b.tried) > 0 {
		s.out.Tried[out] = b.tried
	}
	return out
}

// block returns a block. Type and label are on lines of their own, often far from each other. The range of the block is
// that of its label.
func (s *syntax) block(item *Item) *hclsyntax.Block {
	out := &hclsyntax.Block{Type: item.Name, Body: s.body(item.Body), TypeRange: s.places.span(item.name)}
	out.OpenBraceRange, out.CloseBraceRange = out.Body.EndRange, out.Body.EndRange
	if item.Body.Def.Label == "" || item.Body.Def.Optional && item.Label == "" {
		return out
	}
	out.Labels, out.LabelRanges = []string{item.Label}, []hcl.Range{s.places.span(item.label)}
	if item.Body.Def.Name == item.Name {
		out.TypeRange = out.LabelRanges[0]
	}
	return out
}

func (s *syntax) expression(v *Value) hclsyntax.Expression {
	at := s.places.at(v.Start, max(v.Start, v.End))
	switch v.Kind {
	case Bool:
		return &hclsyntax.LiteralValueExpr{Val: cty.BoolVal(v.Text == "true"), SrcRange: at}
	case Number:
		return &hclsyntax.LiteralValueExpr{Val: v.Number, SrcRange: at}
	case Template:
		return s.template(v, at)
	case Bare:
		return s.bare(v, at)
	case List:
		out := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: s.places.at(v.Start, v.Start)}
		for _, e := range v.Elements {
			out.Exprs = append(out.Exprs, s.expression(e))
		}
		return out
	case Map:
		out := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: s.places.at(v.Start, v.Start)}
		for i, e := range v.Elements {
			key := &hclsyntax.ObjectConsKeyExpr{Wrapped: s.expression(v.Keys[i])}
			if _, literal := key.Wrapped.(*hclsyntax.TemplateExpr); !literal {
				key.ForceNonLiteral = true
			}
			out.Items = append(out.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: s.expression(e)})
		}
		return out
	}
	return &hclsyntax.LiteralValueExpr{Val: cty.NullVal(cty.DynamicPseudoType), SrcRange: at}
}

func literal(text string, at hcl.Range) hclsyntax.Expression {
	return &hclsyntax.TemplateExpr{
		Parts:    []hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: at}},
		SrcRange: at,
	}
}

// template reads text. A ${…} that is the whole text keeps its type, and is text if text is expected; ${(…)} is only its
// content.
func (s *syntax) template(v *Value, at hcl.Range) hclsyntax.Expression {
	if !strings.Contains(v.Text, "${") && !strings.Contains(v.Text, "%{") {
		s.looksBare(v, at)
		return literal(v.Text, at)
	}
	if r := expr.GateTemplate([]byte(v.Text)); r != nil {
		s.refuse(v, r)
		return literal("", at)
	}
	e := s.parse(v, hclsyntax.ParseTemplate)
	if e == nil {
		return literal("", at)
	}
	switch e := e.(type) {
	case *hclsyntax.TemplateWrapExpr:
		if p, ok := e.Wrapped.(*hclsyntax.ParenthesesExpr); ok {
			return p
		}
		e.SrcRange = at
	case *hclsyntax.TemplateExpr:
		e.SrcRange = at
	}
	return e
}

// bare reads the text of a reference or a type.
func (s *syntax) bare(v *Value, at hcl.Range) hclsyntax.Expression {
	none := &hclsyntax.LiteralValueExpr{Val: cty.NullVal(cty.DynamicPseudoType), SrcRange: at}
	if text, ok := strings.CutPrefix(strings.TrimSpace(v.Text), "${"); ok {
		d := diag.New("syntax", at, "a reference or a type is written here without ${…}")
		if text, ok = strings.CutSuffix(text, "}"); ok {
			text = strings.TrimSpace(text)
			d = d.WithSuggestion("write %s", text)
			if plainSafe(text) {
				d = d.WithFix(at, text)
			}
		}
		s.diags.Add(d)
		return none
	}
	if r := expr.GateExpression([]byte(v.Text)); r != nil {
		s.refuse(v, r)
		return none
	}
	if e := s.parse(v, hclsyntax.ParseExpression); e != nil {
		return e
	}
	return none
}

func (s *syntax) refuse(v *Value, r *expr.Refusal) {
	code := "too-large"
	if r.Unclosed {
		code = "unclosed"
	}
	at := v.scalar.from(r.Pos.Byte)
	s.diags.Add(diag.New(code, s.places.at(at, at), "%s", r.Why))
}

// textName is the file name of ranges in a scalar's text, which are not converted to ranges of the file yet.
const textName = "\x00text"

type parser func(src []byte, filename string, start hcl.Pos) (hclsyntax.Expression, hcl.Diagnostics)

// parse parses the text of a scalar. It reports a faulty text and returns nil.
func (s *syntax) parse(v *Value, parse parser) hclsyntax.Expression {
	if start, ok := v.scalar.whole(); ok && isPlainText([]byte(v.Text)) {
		if e, hclDiags := parse([]byte(v.Text), s.places.name, s.places.pos(start)); !hclDiags.HasErrors() {
			return e
		}
	}
	m := mapper{places: s.places, scalar: v.scalar}
	e, hclDiags := parse([]byte(v.Text), textName, hcl.InitialPos)
	for _, d := range diag.FromHCL(hclDiags, map[string][]byte{textName: []byte(v.Text)}) {
		d = m.diagnostic(d, v)
		if at := s.places.endOfBlanks(v.End); v.Style == Plain && at > v.End && at < len(s.places.src) && s.places.src[at] == '#' {
			d.Fix = nil
			d = d.WithDetail("A # after a space starts a comment, and ends the text before it.").WithSuggestion("quote it: '${…}'")
		}
		s.diags.Add(d)
	}
	if hclDiags.HasErrors() {
		return nil
	}
	m.expression(e)
	return e
}

var maybeReference = regexp.MustCompile(`^(var|local|param|step|input|output|each|run)(\.[A-Za-z_][A-Za-z0-9_-]*|\[("[^"$%\\]*"|[0-9]{1,9})\]){1,8}$`)

// looksBare records text that may be meant as a reference. Whether it names anything is not known here.
func (s *syntax) looksBare(v *Value, at hcl.Range) {
	if !maybeReference.MatchString(v.Text) {
		return
	}
	t, hclDiags := hclsyntax.ParseTraversalAbs([]byte(v.Text), textName, hcl.InitialPos)
	if !hclDiags.HasErrors() {
		s.out.Suspects = append(s.out.Suspects, Suspect{Traversal: t, Range: at, Pipeline: v.pipeline, Step: v.step, Quoted: v.Style == Quoted, Text: v.Text, Kind: v.kind})
	}
}
