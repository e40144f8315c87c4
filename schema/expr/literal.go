package expr

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"

	"pipec.dev/pipec/schema/types"
)

// LiteralJSON returns the JSON of an expression that consists of literals, with the text of its strings and numbers in src, which it
// was parsed from. It returns false for all other expressions.
func LiteralJSON(e hclsyntax.Expression, src []byte) (json.RawMessage, bool) {
	l := literal{src: src, ok: true}
	l.value(e)
	return json.RawMessage(l.out), l.ok
}

type literal struct {
	src []byte
	out []byte
	ok  bool
}

func (l *literal) value(e hclsyntax.Expression) {
	switch e := Bare(e).(type) {
	case *hclsyntax.LiteralValueExpr:
		l.scalar(e)
	case *hclsyntax.UnaryOpExpr:
		number, isNumber := e.Val.(*hclsyntax.LiteralValueExpr)
		if l.ok = l.ok && (e.Op == hclsyntax.OpNegate || e.Op == opNegate) && isNumber && number.Val.Type() == cty.Number; l.ok {
			l.out = append(l.out, '-')
			l.scalar(number)
		}
	case *hclsyntax.TemplateExpr:
		l.text(e)
	case *hclsyntax.TupleConsExpr:
		l.out = append(l.out, '[')
		for i, elem := range e.Exprs {
			l.comma(i)
			l.value(elem)
		}
		l.out = append(l.out, ']')
	case *hclsyntax.ObjectConsExpr:
		l.out = append(l.out, '{')
		for i, item := range e.Items {
			l.comma(i)
			l.key(item.KeyExpr)
			l.out = append(l.out, ':')
			l.value(item.ValueExpr)
		}
		l.out = append(l.out, '}')
	default:
		l.ok = false
	}
}

func (l *literal) comma(i int) {
	if i > 0 {
		l.out = append(l.out, ',')
	}
}

func (l *literal) key(e hclsyntax.Expression) {
	if wrapped, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		if name := hcl.ExprAsKeyword(wrapped.Wrapped); name != "" && !wrapped.ForceNonLiteral {
			l.string(l.source(wrapped.Range()), name)
			return
		}
		e = wrapped.Wrapped
	}
	if t, ok := Bare(e).(*hclsyntax.TemplateExpr); ok {
		l.text(t)
		return
	}
	l.ok = false
}

func (l *literal) source(r hcl.Range) string {
	if !r.CanSliceBytes(l.src) {
		return ""
	}
	return string(r.SliceBytes(l.src))
}

func (l *literal) scalar(e *hclsyntax.LiteralValueExpr) {
	if text, ok := numberText(e, l.src); ok {
		l.out = append(l.out, text...)
		return
	}
	data, err := types.ToJSON(e.Val)
	l.out, l.ok = append(l.out, data...), l.ok && err == nil
}

// text is a string in quotes or a heredoc. A heredoc has the text that HCL has read, since its indentation may be removed.
func (l *literal) text(e *hclsyntax.TemplateExpr) {
	v, diags := e.Value(nil)
	if l.ok = l.ok && !diags.HasErrors() && v.Type() == cty.String; !l.ok {
		return
	}
	for _, part := range e.Parts {
		if _, ok := part.(*hclsyntax.LiteralValueExpr); !ok {
			l.ok = false
			return
		}
	}
	text := l.source(e.SrcRange)
	if unquoted, ok := strings.CutPrefix(text, `"`); ok {
		text = unescape(strings.TrimSuffix(unquoted, `"`))
	}
	l.string(text, v.AsString())
}

// string writes a text if HCL has read it as that, and else what HCL has read.
func (l *literal) string(text, read string) {
	if norm.NFC.String(text) != read || !utf8.ValidString(text) {
		text = read
	}
	data, err := types.ToJSON(types.StringVal(text))
	l.out, l.ok = append(l.out, data...), l.ok && err == nil
}

// unescape decodes the escape sequences of a string in quotes.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		n := 1
		switch {
		case strings.HasPrefix(s, "$${"), strings.HasPrefix(s, "%%{"):
			b.WriteString(s[1:3])
			n = 3
		case s[0] == '\\' && len(s) > 1:
			r, size := escaped(s)
			b.WriteRune(r)
			n = size
		default:
			b.WriteByte(s[0])
		}
		s = s[n:]
	}
	return b.String()
}

func escaped(s string) (r rune, size int) {
	digits := 0
	switch s[1] {
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	if n := 2 + digits; digits > 0 && len(s) >= n {
		if code, err := strconv.ParseUint(s[2:n], 16, 32); err == nil {
			return rune(code), n
		}
	}
	return rune(s[1]), 2
}
