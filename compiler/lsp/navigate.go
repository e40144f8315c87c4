package lsp

import (
	"context"

	"pipec.dev/pipec/compiler/lsp/names"
)

// symbolAt is what is named at an offset of the document, by a declaration or a reference; nil where nothing is.
func (v *view) symbolAt(offset int) *names.Symbol {
	if s := v.index.Declares(v.File, offset); s != nil {
		return s
	}
	if r, part := v.RefAt(offset); r != nil {
		return v.index.Resolve(r, part)
	}
	return nil
}

func (s *server) definition(p positionParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		offset := v.text.offset(p.Position)
		sym := v.symbolAt(offset)
		if sym == nil {
			if at := v.inLibrary(offset); at != nil {
				return *at, nil
			}
			if f, _ := v.functionAt(offset); f != nil {
				return f.location(v), nil
			}
			return nil, nil
		}
		return v.location(sym.File, sym.At), nil
	})
}

func (s *server) references(p referenceParams) (answer, error) {
	return s.in(p.TextDocument, func(ctx context.Context, v *view) (any, error) {
		sym := v.symbolAt(v.text.offset(p.Position))
		if sym == nil {
			return nil, nil
		}
		out := []location{}
		if p.Context.IncludeDeclaration {
			out = append(out, v.location(sym.File, sym.At))
		}
		for _, u := range v.index.Uses(sym, func() bool { return ctx.Err() != nil }) {
			out = append(out, v.location(u.File, u.At))
		}
		return out, nil
	})
}

// highlights are the places in the document where the same is named: 3 where it is declared, 2 where it is read.
func (s *server) highlights(p positionParams) (answer, error) {
	return s.in(p.TextDocument, func(ctx context.Context, v *view) (any, error) {
		sym := v.symbolAt(v.text.offset(p.Position))
		if sym == nil {
			return nil, nil
		}
		out := []highlight{}
		if sym.File == v.File {
			out = append(out, highlight{v.text.span(sym.At.Start, sym.At.End), 3})
		}
		for _, u := range v.index.Uses(sym, func() bool { return ctx.Err() != nil }) {
			if u.File == v.File {
				out = append(out, highlight{v.text.span(u.At.Start, u.At.End), 2})
			}
		}
		return out, nil
	})
}
