package convert

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

// same reports whether two bodies have the same meaning: the same attributes with the same expressions, and the same blocks
// of each type in the same order. Every conversion is checked with it, so that a gap in the writers is reported instead of
// written.
func same(a, b *hclsyntax.Body) bool {
	if len(a.Attributes) != len(b.Attributes) || len(a.Blocks) != len(b.Blocks) {
		return false
	}
	for name, x := range a.Attributes {
		y, ok := b.Attributes[name]
		if !ok || printed(x.Expr) != printed(y.Expr) {
			return false
		}
	}
	left, right := slices.Clone(a.Blocks), slices.Clone(b.Blocks)
	byType := func(x, y *hclsyntax.Block) int {
		switch {
		case x.Type < y.Type:
			return -1
		case x.Type > y.Type:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(left, byType)
	slices.SortStableFunc(right, byType)
	for i := range left {
		if left[i].Type != right[i].Type || !slices.Equal(left[i].Labels, right[i].Labels) ||
			!same(left[i].Body, right[i].Body) {
			return false
		}
	}
	return true
}

func printed(e hclsyntax.Expression) string {
	text, err := expr.Print(e)
	if err != nil {
		return err.Error()
	}
	return text
}
