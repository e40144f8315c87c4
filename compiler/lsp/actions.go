package lsp

import (
	"context"
	"slices"
	"strings"
)

// codeActions are the repairs of what is wrong in a range. They are kept from when the diagnostics were published, and
// hold for that text alone.
func (s *server) codeActions(p actionParams) (answer, error) {
	docs := s.docs.now()
	d := docs[pathOf(p.TextDocument.URI)]
	wanted := len(p.Context.Only) == 0 || slices.ContainsFunc(p.Context.Only, func(kind string) bool {
		return kind == "" || kind == "quickfix" || strings.HasPrefix("quickfix.", kind+".")
	})
	return func(context.Context) (any, error) {
		out := []codeAction{}
		if d == nil || !wanted {
			return out, nil
		}
		for _, f := range s.check.shown(d) {
			if !f.Range.touches(p.Range) {
				continue
			}
			for _, r := range f.repairs {
				out = append(out, codeAction{
					Title: r.title, Kind: "quickfix", Diagnostics: []diagnostic{f.diagnostic}, IsPreferred: r.certain,
					Edit: workspaceEdit{map[string][]textEdit{uriOf(r.path, docs): {r.edit}}},
				})
			}
		}
		return out, nil
	}, nil
}

func (p position) before(q position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Character < q.Character
}

// touches says whether two ranges have a character or an end in common.
func (r span) touches(o span) bool { return !r.End.before(o.Start) && !o.End.before(r.Start) }
