package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxFollow limits how many locals are followed from one to the next.
const maxFollow = 100

// Follow returns the expression of a local if e is only a reference to it; otherwise e.
func (s *Values) Follow(e hcl.Expression) hcl.Expression {
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
		if n := s.Locals[name]; ok && n != nil && n.expr != nil {
			e = n.expr
			continue
		}
		return e
	}
	return e
}

// second returns the name behind a root: x of var.x.
func second(t hcl.Traversal) (string, bool) {
	if len(t) < 2 {
		return "", false
	}
	a, ok := t[1].(hcl.TraverseAttr)
	return a.Name, ok
}
