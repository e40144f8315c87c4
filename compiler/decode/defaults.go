package decode

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/language"
)

// defaults gives the steps of a pipeline what its block `defaults` sets. The later phases know only the steps. A call takes the image
// alone, which the called pipeline may use, and an approval nothing, because it has no process.
func defaults(pipeline *Block) {
	from := pipeline.One("defaults")
	if from == nil {
		return
	}
	for _, s := range pipeline.Blocks {
		switch {
		case s.Def.Name != "step" && s.Def.Name != "finally", s.One("approval") != nil:
		case s.Attrs["pipeline"] != nil:
			if a := from.Attrs["image"]; a != nil && s.Attrs["image"] == nil {
				s.Attrs["image"] = a
			}
		default:
			s.inherit(from)
		}
	}
}

// inherit adds what b does not set itself. Maps are merged, and b's own keys take precedence. So are blocks that can appear once, by
// their attributes. A block with a label replaces one with the same label, and other blocks are added to b's own.
func (b *Block) inherit(from *Block) {
	for name, a := range from.Attrs {
		def, own := b.Def.Attribute(name), b.Attrs[name]
		switch {
		case def == nil || own != nil && !strings.HasPrefix(def.Type, "map("):
		case own == nil:
			b.Attrs[name] = a
		default:
			b.Attrs[name] = mergedMaps(a, own)
		}
	}
	for _, n := range from.Blocks {
		i := slices.IndexFunc(b.Blocks, func(own *Block) bool {
			return own.Def.Name == n.Def.Name && (n.Def.Single || n.Def.Label != "" && own.Label == n.Label)
		})
		def := b.Def.Block(n.Def.Name)
		switch {
		case def == nil:
		case i < 0:
			b.Blocks = append(b.Blocks, n.as(def))
		case n.Def.Single:
			b.Blocks[i].inherit(n)
		}
	}
}

// as returns a copy of b as a block of another type with the same attributes, so that what is added to it stays in one step.
func (b *Block) as(def *language.Block) *Block {
	out := *b
	out.Def, out.Attrs, out.Blocks = def, maps.Clone(b.Attrs), slices.Clone(b.Blocks)
	return &out
}

// mergedMaps returns an attribute with the entries of two. Those of own take precedence.
func mergedMaps(from, own *hcl.Attribute) *hcl.Attribute {
	out := *own
	left, leftOK := unwrapped(from.Expr).(*hclsyntax.ObjectConsExpr)
	right, rightOK := unwrapped(own.Expr).(*hclsyntax.ObjectConsExpr)
	if leftOK && rightOK {
		out.Expr = mergedObjects(left, right)
		return &out
	}
	a, aOK := from.Expr.(hclsyntax.Expression)
	b, bOK := own.Expr.(hclsyntax.Expression)
	if aOK && bOK {
		at := own.Expr.Range()
		out.Expr = &hclsyntax.FunctionCallExpr{Name: "merge", Args: []hclsyntax.Expression{a, b}, NameRange: at, OpenParenRange: at, CloseParenRange: at}
	}
	return &out
}

// mergedObjects returns the entries of both objects. A key of own replaces the same key of from.
func mergedObjects(from, own *hclsyntax.ObjectConsExpr) *hclsyntax.ObjectConsExpr {
	set := map[string]bool{}
	for _, item := range own.Items {
		if name, ok := literalKey(item.KeyExpr); ok {
			set[name] = true
		}
	}
	out := *own
	out.Items = nil
	for _, item := range from.Items {
		if name, ok := literalKey(item.KeyExpr); !ok || !set[name] {
			out.Items = append(out.Items, item)
		}
	}
	out.Items = append(out.Items, own.Items...)
	return &out
}
