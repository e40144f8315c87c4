package evaluate

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
)

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
		var next hcl.Expression
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
			if item := Item(node, name); item != nil {
				next = item
			}
		default:
			next = innerJSON(node, path[0], key)
		}
		if next == nil {
			return e, false // pointing at a part of the path would mislead
		}
		part, path = next, path[1+len(key):]
	}
	return part, true
}

// innerJSON returns a part of an expression in JSON: key is a name, or an index with its closing bracket. It returns nil if there is
// none, or if the expression is in the native syntax.
func innerJSON(e hcl.Expression, before byte, key string) hcl.Expression {
	if _, native := e.(hclsyntax.Expression); native {
		return nil
	}
	key = strings.TrimSuffix(key, "]")
	if i, err := strconv.Atoi(key); err == nil && before == '[' {
		if items, hclDiags := hcl.ExprList(e); !hclDiags.HasErrors() && i < len(items) {
			return items[i]
		}
		return nil
	}
	if text, err := strconv.Unquote(key); err == nil && before == '[' {
		key = text
	}
	pairs, _ := hcl.ExprMap(e)
	for _, pair := range pairs {
		if v, hclDiags := pair.Key.Value(nil); !hclDiags.HasErrors() && v.Type() == cty.String && v.AsString() == key {
			return pair.Value
		}
	}
	return nil
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
		return cty.NormalizeString(word)
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

// Element returns item i of e if e is a list that is written out; otherwise e.
func Element(e hcl.Expression, i int) hcl.Expression {
	if tuple, ok := unwrap(e).(*hclsyntax.TupleConsExpr); ok && i < len(tuple.Exprs) {
		return tuple.Exprs[i]
	}
	return e
}

// KeyRange returns the range of a key of e if e is an object that is written out; otherwise the range of e.
func KeyRange(e hcl.Expression, key string) hcl.Range {
	if object, ok := unwrap(e).(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range object.Items {
			if KeyName(item.KeyExpr) == key {
				return item.KeyExpr.Range()
			}
		}
	}
	return e.Range()
}

// repeatedKey reports the first key that is written twice in an object. HCL would use only the last value.
func repeatedKey(e hcl.Expression) *diag.Diagnostic {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		return nil
	}
	var found *diag.Diagnostic
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		object, ok := n.(*hclsyntax.ObjectConsExpr)
		if !ok || found != nil {
			return nil
		}
		first := make(map[string]hcl.Range, len(object.Items))
		for _, item := range object.Items {
			name := KeyName(item.KeyExpr)
			if at, twice := first[name]; twice && name != "" && found == nil {
				d := diag.New("duplicate", item.KeyExpr.Range(), "duplicate key %q", name).WithRelated(at, "the first %q is here", name)
				found = &d
			}
			first[name] = item.KeyExpr.Range()
		}
		return nil
	})
	return found
}
