package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Sources returns the text of a source by the file name in the ranges of its expressions, or nil.
type Sources func(filename string) []byte

// Source returns Sources for expressions that were all parsed from one text.
func Source(src []byte) Sources { return func(string) []byte { return src } }

// number returns the text of a literal number in its source, if the number would be written differently without it.
func (s Sources) number(e *hclsyntax.LiteralValueExpr) (string, bool) {
	if s == nil || e.Val.IsNull() || e.Val.Type() != cty.Number {
		return "", false
	}
	src := s(e.SrcRange.Filename)
	if !e.SrcRange.CanSliceBytes(src) || types.UsualNumber(inJSON(string(e.SrcRange.SliceBytes(src)))) {
		return "", false
	}
	return numberText(e, src)
}

// numberText returns the text of a literal number in its source, in JSON's notation. It returns false for all other literals, and if
// the source has another number at the literal's range.
func numberText(e *hclsyntax.LiteralValueExpr, src []byte) (string, bool) {
	if e.Val.IsNull() || e.Val.Type() != cty.Number || !e.SrcRange.CanSliceBytes(src) {
		return "", false
	}
	text := inJSON(string(e.SrcRange.SliceBytes(src)))
	v, ok := types.NumberVal(text)
	if !ok {
		return "", false
	}
	v, _ = v.Unmark()
	return text, v.RawEquals(e.Val)
}

// inJSON returns a number of YAML in JSON's notation: +1.0, .5 and 1. are numbers of YAML only.
func inJSON(text string) string {
	text = strings.TrimPrefix(text, "+")
	digits, negative := strings.CutPrefix(text, "-")
	whole, rest, point := strings.Cut(digits, ".")
	if !point {
		return text
	}
	if whole == "" {
		whole = "0"
	}
	if rest == "" || !('0' <= rest[0] && rest[0] <= '9') {
		rest = "0" + rest
	}
	if text = whole + "." + rest; negative {
		text = "-" + text
	}
	return text
}

// numberForms marks the literal numbers of an expression with their text in the source. The expression must not be used otherwise.
func numberForms(e hclsyntax.Expression, sources Sources) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if l, ok := n.(*hclsyntax.LiteralValueExpr); ok {
			l.Val = literalValue(l, sources)
		}
		return nil
	})
}

func literalValue(e *hclsyntax.LiteralValueExpr, sources Sources) cty.Value {
	if text, ok := sources.number(e); ok {
		if v, ok := types.NumberVal(text); ok {
			return v
		}
	}
	return e.Val
}

// negative evaluates to the negative of a literal number, with its text.
func negative(e *hclsyntax.UnaryOpExpr) (hclsyntax.Expression, bool) {
	l, ok := e.Val.(*hclsyntax.LiteralValueExpr)
	if !ok || e.Op != hclsyntax.OpNegate && e.Op != opNegate || !l.Val.IsMarked() || l.Val.Type() != cty.Number {
		return nil, false
	}
	text, ok := types.InTemplate(l.Val)
	if !ok || strings.HasPrefix(text, "-") {
		return nil, false
	}
	v, ok := types.NumberVal("-" + text)
	if !ok {
		return nil, false
	}
	return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: e.SrcRange}, true
}
