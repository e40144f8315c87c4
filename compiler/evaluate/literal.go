package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxFollow limits how many locals are followed from one to the next.
const maxFollow = 100

// Follow returns the expression of a local if e is only a reference to it; otherwise e.
func (w *Project) Follow(e hcl.Expression) hcl.Expression {
	for range maxFollow {
		node := unwrap(e)
		if wrap, whole := node.(*hclsyntax.TemplateWrapExpr); whole { // as in YAML, ${local.x}
			node = unwrap(wrap.Wrapped)
		}
		t, ok := node.(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(t.Traversal) != 2 || t.Traversal.RootName() != "local" {
			return e
		}
		name, ok := second(t.Traversal)
		if n := w.Locals[name]; ok && n != nil && n.expr != nil {
			e = n.expr
			continue
		}
		return e
	}
	return e
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
