package evaluate

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Mismatch reports that the value of e has the wrong type for its position. err is the reason. The diagnostic points at the
// innermost part of e that causes it.
func Mismatch(e hcl.Expression, from, want cty.Type, err error) diag.Diagnostic {
	switch err := err.(type) {
	case *types.NullError:
		at, found := inner(e, err.Path)
		d := diag.New("null-value", at.Range(), "expected %s, found null", types.Phrase(err.Type))
		if !found {
			d = diag.New("null-value", at.Range(), "expected %s, found null at %s", types.Phrase(want), err.Path)
		}
		return d
	case *types.Mismatch:
		at, found := inner(e, err.Path)
		d := diag.New("type-mismatch", at.Range(), "expected %s, found %s", types.Phrase(err.To), types.Phrase(err.From))
		if !found {
			d.Summary = "expected " + types.Phrase(want) + ", found " + types.Phrase(from)
			d = d.WithDetail("At %s: %s.", err.Path, (&types.Mismatch{From: err.From, To: err.To, Why: err.Why}).Error())
		} else if err.Why != "" {
			d = d.WithDetail("%s.", upperFirst(err.Why))
		}
		if err.Hint != "" {
			d = d.WithSuggestion("%s", err.Hint)
		}
		return literalFix(d, at, err.To)
	}
	return diag.New("type-mismatch", e.Range(), "expected %s, found %s", types.Phrase(want), types.Phrase(from)).
		WithDetail("%s.", upperFirst(err.Error()))
}

// literalFix suggests what to write for a literal of the wrong type: 30 for "30", and the reverse.
func literalFix(d diag.Diagnostic, e hcl.Expression, want cty.Type) diag.Diagnostic {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		return d
	}
	v, plain := literal(node)
	if !plain || v.IsNull() {
		return d
	}
	text := ""
	switch {
	case want == cty.String && v.Type() != cty.String:
		s, err := convert.Convert(v, cty.String)
		if err != nil {
			return d
		}
		text = strconv.Quote(s.AsString())
	case v.Type() != cty.String:
		return d
	case want == cty.Number:
		if _, err := convert.Convert(v, cty.Number); err != nil {
			return d
		}
		text = strings.TrimSpace(v.AsString())
	case want == cty.Bool:
		switch strings.ToLower(v.AsString()) {
		case "true", "yes", "on":
			text = "true"
		case "false", "no", "off":
			text = "false"
		default:
			d.Suggestion = "write true or false, without quotes"
			return d
		}
	default:
		return d
	}
	return d.WithSuggestion("write %s", text).WithFix(e.Range(), text)
}

// Inner returns the part of a literal at a path such as ".name[0]" if it is written out; otherwise the whole literal.
func Inner(e hcl.Expression, path string) hcl.Expression {
	part, _ := inner(e, path)
	return part
}

func inner(e hcl.Expression, path string) (part hcl.Expression, found bool) {
	part = e
	for path != "" {
		key := path[1:]
		if n := strings.IndexAny(key, ".["); n >= 0 {
			key = key[:n]
		}
		var next hclsyntax.Expression
		switch node := unwrap(part).(type) {
		case *hclsyntax.TupleConsExpr:
			if i, err := strconv.Atoi(strings.TrimSuffix(key, "]")); err == nil && path[0] == '[' && i < len(node.Exprs) {
				next = node.Exprs[i]
			}
		case *hclsyntax.ObjectConsExpr:
			name := key
			if text, err := strconv.Unquote(strings.TrimSuffix(key, "]")); err == nil && path[0] == '[' {
				name = text
			}
			next = Item(node, name)
		}
		if next == nil {
			return e, false // pointing at a part of the path would mislead
		}
		part, path = next, path[1+len(key):]
	}
	return part, true
}

// Item returns the value of an object's key if the key is written as a plain name or text; otherwise nil.
func Item(object *hclsyntax.ObjectConsExpr, name string) hclsyntax.Expression {
	for _, item := range object.Items {
		if KeyName(item.KeyExpr) == name {
			return item.ValueExpr
		}
	}
	return nil
}

// Part returns the value of a key in e if e is an object that is written out; otherwise e.
func Part(e hcl.Expression, key string) hcl.Expression {
	if object, ok := unwrap(e).(*hclsyntax.ObjectConsExpr); ok {
		if item := Item(object, key); item != nil {
			return item
		}
	}
	return e
}

// KeyName returns an object's key if it is written as a plain name or text; otherwise "".
func KeyName(e hclsyntax.Expression) string {
	k, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return ""
	}
	if word := hcl.ExprAsKeyword(k.Wrapped); word != "" && !k.ForceNonLiteral {
		return word
	}
	if v, plain := literal(k.Wrapped); plain && !v.IsNull() && v.Type() == cty.String {
		return v.AsString()
	}
	return ""
}

func unwrap(e hcl.Expression) hcl.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

// IsTemplate reports whether e is a string that is one interpolation, "${x}". Such a template keeps the type of x. If text
// is expected it is text, like any other template.
func IsTemplate(e hcl.Expression) bool {
	_, ok := unwrap(e).(*hclsyntax.TemplateWrapExpr)
	return ok
}

// Texts converts templates of one interpolation to text if text is expected.
func Texts(e hcl.Expression, v cty.Value, want cty.Type) cty.Value {
	if v.IsNull() || !v.IsKnown() {
		return v
	}
	t := v.Type()
	switch node := unwrap(e).(type) {
	case *hclsyntax.TemplateWrapExpr:
		if want == cty.String && t.IsPrimitiveType() {
			if s, err := convert.Convert(v, cty.String); err == nil {
				return s
			}
		}
	case *hclsyntax.TupleConsExpr:
		if (want.IsListType() || want.IsSetType()) && want.ElementType() == cty.String && t.IsTupleType() && len(node.Exprs) > 0 {
			elems := v.AsValueSlice()
			for i := range elems {
				elems[i] = Texts(node.Exprs[i], elems[i], cty.String)
			}
			return cty.TupleVal(elems)
		}
	case *hclsyntax.ObjectConsExpr:
		if want.IsMapType() && want.ElementType() == cty.String && t.IsObjectType() && len(node.Items) > 0 {
			attrs := v.AsValueMap()
			for name := range attrs {
				if item := Item(node, name); item != nil {
					attrs[name] = Texts(item, attrs[name], cty.String)
				}
			}
			return cty.ObjectVal(attrs)
		}
	}
	return v
}
