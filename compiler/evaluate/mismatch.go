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

// Mismatch tells that what e gives doesn't fit where it stands. err says why; it points at the innermost part of e that
// is to blame.
func Mismatch(e hcl.Expression, from, want cty.Type, err error) diag.Diagnostic {
	switch err := err.(type) {
	case *types.NullError:
		at, found := inner(e, err.Path)
		d := diag.New("null-value", at.Range(), "%s is wanted here, and this is null", types.Phrase(err.Type))
		if !found {
			d = diag.New("null-value", at.Range(), "%s is wanted here, and there is a null at %s", types.Phrase(want), err.Path)
		}
		return d
	case *types.Mismatch:
		at, found := inner(e, err.Path)
		d := diag.New("type-mismatch", at.Range(), "%s is wanted here, and this is %s", types.Phrase(err.To), types.Phrase(err.From))
		if !found {
			d.Summary = types.Phrase(want) + " is wanted here, and this is " + types.Phrase(from)
			d = d.WithDetail("At %s: %s.", err.Path, (&types.Mismatch{From: err.From, To: err.To, Why: err.Why}).Error())
		} else if err.Why != "" {
			d = d.WithDetail("%s.", upperFirst(err.Why))
		}
		if err.Hint != "" {
			d = d.WithSuggestion("%s", err.Hint)
		}
		return literalFix(d, at, err.To)
	}
	return diag.New("type-mismatch", e.Range(), "%s is wanted here, and this is %s", types.Phrase(want), types.Phrase(from)).
		WithDetail("%s.", upperFirst(err.Error()))
}

// literalFix is what to write for a literal of the wrong sort: 30 for "30", and the other way round.
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

// Inner is the part of a literal at a path such as ".name[0]", where it is written out; else the whole.
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
			return e, false // half of the way would mislead
		}
		part, path = next, path[1+len(key):]
	}
	return part, true
}

// Item is the value of an object's key, where that is written as a plain name or text; else nil.
func Item(object *hclsyntax.ObjectConsExpr, name string) hclsyntax.Expression {
	for _, item := range object.Items {
		if KeyName(item.KeyExpr) == name {
			return item.ValueExpr
		}
	}
	return nil
}

// Part is the value of a key in e, where that is an object that is written out; else e.
func Part(e hcl.Expression, key string) hcl.Expression {
	if object, ok := unwrap(e).(*hclsyntax.ObjectConsExpr); ok {
		if item := Item(object, key); item != nil {
			return item
		}
	}
	return e
}

// KeyName is an object's key, where it is written as a plain name or text; else "".
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

// IsTemplate says whether e is a string that is one interpolation, "${x}". Such a template keeps the type of x; where
// text is wanted it is text, as every other template is.
func IsTemplate(e hcl.Expression) bool {
	_, ok := unwrap(e).(*hclsyntax.TemplateWrapExpr)
	return ok
}

// Texts makes text of what stands in templates of one interpolation where text is wanted.
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
