package decode

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// short replaces attributes by the blocks for which they are short: inputs = { x = step.a.y } by input "x" { value = step.a.y }.
// The later phases know only the blocks. The blocks of an attribute are where it is among the others.
func (d *decoder) short(b *Block, attributes []*language.Attribute) {
	for _, def := range attributes {
		a := b.Attrs[def.Name]
		if a == nil {
			continue
		}
		delete(b.Attrs, def.Name)
		before := slices.IndexFunc(b.Blocks, func(n *Block) bool { return n.DefRange.Start.Byte > a.NameRange.Start.Byte })
		if before < 0 {
			before = len(b.Blocks)
		}
		b.Blocks = slices.Insert(b.Blocks, before, d.entries(b, def, a)...)
	}
}

// entries returns the blocks of the entries of an attribute. It reports a value that is not written out.
func (d *decoder) entries(b *Block, def *language.Attribute, a *hcl.Attribute) []*Block {
	var out []*Block
	switch e := unwrapped(a.Expr).(type) {
	case *hclsyntax.LiteralValueExpr:
		if e.Val.IsNull() {
			return nil // as if it were omitted
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			name, ok := literalKey(item.KeyExpr)
			if !ok {
				d.diags.Add(diag.New("invalid-name", item.KeyExpr.Range(), "a name in `%s` must be written out", def.Name).WithDetail(NameRule))
				b.try(def.Short.Block)
				continue
			}
			n := d.entry(b, def, name, item.KeyExpr.Range())
			n.Attrs[def.Short.Attribute] = &hcl.Attribute{
				Name: def.Short.Attribute, Expr: item.ValueExpr, NameRange: item.KeyExpr.Range(), Range: hcl.RangeBetween(item.KeyExpr.Range(), item.ValueExpr.Range()),
			}
			out = append(out, n)
		}
		return out
	case *hclsyntax.TupleConsExpr:
		if def.Kind != language.Types {
			break
		}
		for _, x := range e.Exprs {
			name, ok := literalText(x)
			if !ok {
				d.diags.Add(diag.New("type-mismatch", x.Range(), "`%s` is a list of names: [\"NAME\"], or a map from names to types: { NAME = TYPE }", def.Name))
				b.try(def.Short.Block)
				continue
			}
			out = append(out, d.entry(b, def, name, x.Range()))
		}
		return out
	}
	form := "{ NAME = value }"
	if def.Kind == language.Types {
		form = "{ NAME = TYPE }"
	}
	d.diags.Add(diag.New("type-mismatch", a.Expr.Range(), "`%s` must be a map that is written out: %s = %s", def.Name, def.Name, form).
		WithDetail("Each of its entries is short for a block `%s`.", def.Short.Block))
	b.try(def.Short.Block)
	return nil
}

// entry returns the block of an entry, without its attribute.
func (d *decoder) entry(b *Block, def *language.Attribute, name string, at hcl.Range) *Block {
	n := &Block{Def: b.Def.Block(def.Short.Block), Label: name, LabelRange: at, DefRange: at, Attrs: hcl.Attributes{}}
	d.label(n)
	return n
}

func unwrapped(e hcl.Expression) hcl.Expression {
	for {
		p, ok := e.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return e
		}
		e = p.Expression
	}
}

// literalKey returns a key of an object that is a name or text.
func literalKey(e hclsyntax.Expression) (string, bool) {
	k, ok := e.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return "", false
	}
	if word := hcl.ExprAsKeyword(k.Wrapped); word != "" && !k.ForceNonLiteral {
		return cty.NormalizeString(word), true
	}
	return literalText(k.Wrapped)
}

// literalText returns the text of a string without ${…}.
func literalText(e hclsyntax.Expression) (string, bool) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", false
	}
	v, hclDiags := t.Value(nil)
	if hclDiags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}
