package convert

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// attributeValue writes an attribute's value by its kind.
func (w *yamlWriter) attributeValue(a *language.Attribute, body *hclsyntax.Body, i item) node {
	e := i.attr.Expr
	if a == nil {
		return w.value(e, cty.DynamicPseudoType)
	}
	switch a.Kind {
	case language.Type:
		return w.bare(e)
	case language.Types:
		if o, ok := e.(*hclsyntax.ObjectConsExpr); ok {
			if out, ok := w.object(o, func(_ string, e hclsyntax.Expression) node { return w.bare(e) }); ok {
				return out
			}
		}
		return w.value(e, cty.List(cty.String))
	case language.Refs:
		if list, ok := e.(*hclsyntax.TupleConsExpr); ok {
			return w.list(list, func(e hclsyntax.Expression) node { return w.bare(e) })
		}
		return w.bare(e)
	case language.Ref:
		if t, hclDiags := hcl.AbsTraversalForExpr(e); !hclDiags.HasErrors() && (a.Type == "" || t.RootName() == a.Name) {
			return w.bare(e)
		}
		if a.Type == "" {
			return w.bare(e)
		}
		if t, ok := e.(*hclsyntax.TemplateExpr); ok {
			text := templates{src: w.src}.text(t.Parts)
			if strings.HasPrefix(text, a.Name+".") {
				return yamlText(`${` + source(e, w.src) + `}`)
			}
		}
		return w.value(e, cty.String)
	}
	return w.value(e, wanted(a, body, w.src))
}

// wanted returns the type that the reader of YAML expects of an attribute.
func wanted(a *language.Attribute, body *hclsyntax.Body, src []byte) cty.Type {
	t, err := types.ParseString(a.Type)
	if err != nil {
		return cty.DynamicPseudoType
	}
	if t == cty.DynamicPseudoType && (a.Name == "default" || a.Name == "value") {
		if typ, ok := body.Attributes["type"]; ok {
			if declared, err := types.ParseString(source(typ.Expr, src)); err == nil {
				return declared
			}
		}
	}
	return t
}

// bare writes a reference or a type as text.
func (w *yamlWriter) bare(e hclsyntax.Expression) node { return yamlText(source(e, w.src)) }

func (w *yamlWriter) value(e hclsyntax.Expression, want cty.Type) node {
	switch n := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		if text, ok := yamlLiteral(n, w.src); ok {
			return node{inline: text}
		}
	case *hclsyntax.UnaryOpExpr:
		if l, ok := n.Val.(*hclsyntax.LiteralValueExpr); ok && n.Op == hclsyntax.OpNegate && l.Val.Type() == cty.Number {
			if text, ok := yamlLiteral(l, w.src); ok {
				return node{inline: "-" + text}
			}
		}
	case *hclsyntax.TemplateExpr:
		return yamlText(templates{src: w.src}.text(n.Parts))
	case *hclsyntax.TemplateWrapExpr:
		inner := n.Wrapped
		for {
			p, ok := inner.(*hclsyntax.ParenthesesExpr)
			if !ok {
				break
			}
			inner = p.Expression
		}
		return yamlText("${" + source(inner, w.src) + "}")
	case *hclsyntax.TupleConsExpr:
		at := 0
		return w.list(n, func(e hclsyntax.Expression) node {
			at++
			return w.value(e, within(want, "", at-1))
		})
	case *hclsyntax.ObjectConsExpr:
		if out, ok := w.object(n, func(key string, e hclsyntax.Expression) node { return w.value(e, within(want, key, 0)) }); ok {
			return out
		}
	}
	text := source(e, w.src)
	if want == cty.String && w.mayBeAny(e) {
		if _, already := e.(*hclsyntax.ParenthesesExpr); !already {
			text = "(" + text + ")"
		}
	}
	return yamlText("${" + text + "}")
}

// within returns the type that is expected of an element.
func within(want cty.Type, key string, at int) cty.Type {
	switch {
	case want.IsCollectionType():
		return want.ElementType()
	case want.IsTupleType() && at < want.Length():
		return want.TupleElementType(at)
	case want.IsObjectType() && want.HasAttribute(key):
		return want.AttributeType(key)
	}
	return cty.DynamicPseudoType
}

// maxFlow is the maximum length of a list on one line.
const maxFlow = 90

func (w *yamlWriter) list(t *hclsyntax.TupleConsExpr, write func(hclsyntax.Expression) node) node {
	if len(t.Exprs) == 0 {
		return node{inline: "[]"}
	}
	start, end := t.SrcRange.Start.Byte, t.SrcRange.End.Byte
	commented := len(w.comments.between(start, end)) > 0
	var nodes []node
	flow, length := !commented, 0
	for _, e := range t.Exprs {
		n := write(e)
		nodes = append(nodes, n)
		length += len(n.inline) + 2
		_, isMap := e.(*hclsyntax.ObjectConsExpr)
		_, isList := e.(*hclsyntax.TupleConsExpr)
		flow = flow && len(n.lines) == 0 && !isMap && !isList && length < maxFlow
	}
	if flow {
		parts := make([]string, len(nodes))
		for i, n := range nodes {
			parts[i] = flowSafe(n.inline)
		}
		return node{inline: "[" + strings.Join(parts, ", ") + "]"}
	}
	var out []string
	from := start
	for i, n := range nodes {
		r := t.Exprs[i].Range()
		out = append(out, w.above(from, r.Start.Byte)...)
		lines := element(n.inline, n.lines)
		from = r.End.Byte
		lines[0] += w.onSameLine(from)
		out = append(out, lines...)
	}
	return node{lines: append(out, w.above(from, end)...)}
}

// above returns the comments between two positions, except those on the line that ends at the first one.
func (w *yamlWriter) above(from, to int) []string {
	own := w.comments.between(from, to)
	if w.onSameLine(from) != "" {
		written := len(w.comments.behind(from))
		own = own[min(written, len(own)):]
	}
	return marked(own)
}

// onSameLine returns the comment behind an element and its comma.
func (w *yamlWriter) onSameLine(end int) string {
	list := w.comments.behind(end)
	if len(list) == 0 || strings.Trim(string(w.src[end:list[0].start]), ", \t") != "" {
		return ""
	}
	return onLine(list)
}

// object writes an object as a map. It returns false if the object has keys that a map can't have.
func (w *yamlWriter) object(o *hclsyntax.ObjectConsExpr, write func(key string, e hclsyntax.Expression) node) (node, bool) {
	if len(o.Items) == 0 {
		return node{inline: "{}"}, true
	}
	seen := map[string]bool{}
	var out []string
	from := o.SrcRange.Start.Byte
	for _, i := range o.Items {
		key, ok := w.key(i.KeyExpr)
		if !ok || seen[key] || len(key) > 500 {
			return node{}, false
		}
		seen[key] = true
		n := write(key, i.ValueExpr)
		out = append(out, w.above(from, i.KeyExpr.Range().Start.Byte)...)
		from = max(from, i.ValueExpr.Range().End.Byte)
		line := yamlKey(key) + ":"
		if n.inline != "" {
			line += " " + n.inline
		}
		out = append(out, line+w.onSameLine(from))
		out = append(out, indented(n.lines)...)
	}
	return node{lines: append(out, w.above(from, o.SrcRange.End.Byte)...)}, true
}

// key returns an object's key as text. It returns false if the key is neither a name, nor text, nor an expression in
// parentheses.
func (w *yamlWriter) key(e hclsyntax.Expression) (string, bool) {
	k, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return "", false
	}
	switch inner := k.Wrapped.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if word := hcl.ExprAsKeyword(inner); word != "" && !k.ForceNonLiteral {
			return word, true
		}
	case *hclsyntax.TemplateExpr:
		return templates{src: w.src}.text(inner.Parts), true
	case *hclsyntax.TemplateWrapExpr:
		return w.keyExpression(inner.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return w.keyExpression(inner)
	}
	return "", false
}

func (w *yamlWriter) keyExpression(e hclsyntax.Expression) (string, bool) {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return "${" + source(e, w.src) + "}", true
		}
		e = p.Expression
	}
}
