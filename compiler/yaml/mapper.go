package yaml

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/diag"
)

// mapper moves ranges in the text of a scalar to their position in the file. A moved range has the file's name, so that
// none is moved twice.
type mapper struct {
	places *places
	scalar *scalar
}

func (m *mapper) move(r *hcl.Range) {
	if r.Filename != textName {
		return
	}
	start := m.scalar.from(r.Start.Byte)
	end := start
	if r.End.Byte > r.Start.Byte {
		end = max(start, m.scalar.to(r.End.Byte))
	}
	*r = m.places.at(start, end)
}

// diagnostic moves a diagnostic. A fix is kept if the text that it replaces and its replacement are the same in the source.
func (m *mapper) diagnostic(d diag.Diagnostic, v *Value) diag.Diagnostic {
	if d.Fix != nil {
		f := *d.Fix
		old := v.Text[min(max(f.Range.Start.Byte, 0), len(v.Text)):min(max(f.Range.End.Byte, f.Range.Start.Byte, 0), len(v.Text))]
		m.move(&f.Range)
		same := f.Range.End.Byte-f.Range.Start.Byte == len(old) && string(m.places.src[f.Range.Start.Byte:f.Range.End.Byte]) == old
		d.Fix = &f
		if !same || strings.ContainsAny(f.Text, "\n#:") || v.Style == Quoted && strings.ContainsAny(f.Text, `"'\`) {
			d.Fix = nil
		}
	}
	m.move(&d.Range)
	related := make([]diag.Related, len(d.Related))
	copy(related, d.Related)
	for i := range related {
		m.move(&related[i].Range)
	}
	if len(related) > 0 {
		d.Related = related
	}
	return d
}

// expression moves every range in an expression.
func (m *mapper) expression(e hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		m.node(n)
		return nil
	})
}

func (m *mapper) node(n hclsyntax.Node) {
	var ranges []*hcl.Range
	switch n := n.(type) {
	case *hclsyntax.LiteralValueExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.ScopeTraversalExpr:
		ranges = []*hcl.Range{&n.SrcRange}
		m.traversal(n.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		ranges = []*hcl.Range{&n.SrcRange}
		m.traversal(n.Traversal)
	case *hclsyntax.FunctionCallExpr:
		ranges = []*hcl.Range{&n.NameRange, &n.OpenParenRange, &n.CloseParenRange}
	case *hclsyntax.ConditionalExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.IndexExpr:
		ranges = []*hcl.Range{&n.SrcRange, &n.OpenRange, &n.BracketRange}
	case *hclsyntax.TupleConsExpr:
		ranges = []*hcl.Range{&n.SrcRange, &n.OpenRange}
	case *hclsyntax.ObjectConsExpr:
		ranges = []*hcl.Range{&n.SrcRange, &n.OpenRange}
	case *hclsyntax.ForExpr:
		ranges = []*hcl.Range{&n.SrcRange, &n.OpenRange, &n.CloseRange}
	case *hclsyntax.SplatExpr:
		ranges = []*hcl.Range{&n.SrcRange, &n.MarkerRange, &n.Item.SrcRange}
	case *hclsyntax.AnonSymbolExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.ParenthesesExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.TemplateExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.TemplateWrapExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.BinaryOpExpr:
		ranges = []*hcl.Range{&n.SrcRange}
	case *hclsyntax.UnaryOpExpr:
		ranges = []*hcl.Range{&n.SrcRange, &n.SymbolRange}
	}
	for _, r := range ranges {
		m.move(r)
	}
}

func (m *mapper) traversal(t hcl.Traversal) {
	for i, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			m.move(&step.SrcRange)
			t[i] = step
		case hcl.TraverseAttr:
			m.move(&step.SrcRange)
			t[i] = step
		case hcl.TraverseIndex:
			m.move(&step.SrcRange)
			t[i] = step
		case hcl.TraverseSplat:
			m.move(&step.SrcRange)
			m.traversal(step.Each)
			t[i] = step
		}
	}
}
