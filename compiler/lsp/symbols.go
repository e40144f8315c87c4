package lsp

import (
	"context"

	"pipec.dev/pipec/compiler/lsp/outline"
)

// symbolKinds are what editors draw a block as.
var symbolKinds = map[string]int{
	"pipeline": 5 /* class */, "step": 6 /* method */, "finally": 6, "variable": 13, "param": 13, "locals": 3, /* namespace */
	"stack": 2 /* module */, "image": 4 /* package */, "code": 4, "library": 4, "input": 8 /* field */, "output": 8, "schedule": 24, /* event */
}

const (
	symbolConstant = 14
	symbolObject   = 19
)

// symbols is the outline of the document: its blocks, and the names in locals.
func (s *server) symbols(p documentParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		tree := v.children(v.Root)
		if s.client.Capabilities.TextDocument.DocumentSymbol.Hierarchical {
			return tree, nil
		}
		flat := []symbolInformation{}
		var walk func(in string, level []documentSymbol)
		walk = func(in string, level []documentSymbol) {
			for _, d := range level {
				flat = append(flat, symbolInformation{d.Name, d.Kind, location{v.doc.uri, d.Range}, in})
				walk(d.Name, d.Children)
			}
		}
		walk("", tree)
		return flat, nil
	})
}

func (v *view) children(b *outline.Block) []documentSymbol {
	out := []documentSymbol{}
	if b.Def != nil && b.Def.Free {
		for _, a := range b.Attrs {
			out = append(out, documentSymbol{
				Name: a.Name, Kind: symbolConstant,
				Range: v.text.span(a.At.Start, a.Value.End), SelectionRange: v.text.span(a.At.Start, a.At.End),
			})
		}
	}
	for _, n := range b.Blocks {
		d := documentSymbol{Name: n.Type, Kind: symbolObject, Range: v.text.span(n.Span.Start, n.Span.End), SelectionRange: v.text.span(n.At.Start, n.At.End)}
		if kind, ok := symbolKinds[n.Type]; ok {
			d.Kind = kind
		}
		if n.Label() != "" {
			d.Name, d.Detail = n.Label(), n.Type
			at := n.Labels[0].At
			d.SelectionRange = v.text.span(at.Start, at.End)
		}
		d.Children = v.children(n)
		out = append(out, d)
	}
	return out
}
