package lsp

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/lint"
)

// codeActions returns the fixes for the diagnostics in a range, and the comments that ignore them. They are stored when the
// diagnostics are published, and are valid only for that text.
func (s *server) codeActions(p actionParams) (answer, error) {
	docs := s.docs.now()
	d := docs[pathOf(p.TextDocument.URI)]
	wanted := func(own string) bool {
		return len(p.Context.Only) == 0 && own == "quickfix" || slices.ContainsFunc(p.Context.Only, func(kind string) bool {
			return kind == own || kind != "" && strings.HasPrefix(own, kind+".") || kind == "" && own == "quickfix"
		})
	}
	return func(context.Context) (any, error) {
		out := []codeAction{}
		if d == nil {
			return out, nil
		}
		found := s.check.shown(d)
		if wanted("quickfix") {
			out = s.quickFixes(d, docs, found, p.Range)
		}
		if edits := allFixes(d, found); len(edits) > 0 && wanted("source.fixAll") {
			out = append(out, codeAction{Title: "Apply all certain fixes", Kind: "source.fixAll", Edit: edit(d.uri, edits...)})
		}
		return out, nil
	}, nil
}

func edit(uri string, edits ...textEdit) workspaceEdit {
	return workspaceEdit{map[string][]textEdit{uri: edits}}
}

func (s *server) quickFixes(d *document, docs map[string]*document, found []finding, at span) []codeAction {
	out := []codeAction{}
	var ignores []codeAction
	for _, f := range found {
		if !f.Range.touches(at) {
			continue
		}
		of := []diagnostic{f.diagnostic}
		for _, r := range f.repairs {
			out = append(out, codeAction{Title: r.title, Kind: "quickfix", Diagnostics: of, IsPreferred: r.certain, Edit: edit(uriOf(r.path, docs), r.edit)})
		}
		if f.ignorable {
			ignores = append(ignores, codeAction{Title: "Ignore " + f.Code + " here", Kind: "quickfix", Diagnostics: of, Edit: edit(d.uri, s.ignore(d, docs, f))})
		}
	}
	return append(out, ignores...)
}

// ignorable reports whether a comment can ignore the diagnostics with a code.
func ignorable(code string) bool {
	_, known := lint.Describe(code)
	return known && !slices.Contains([]string{"unexplained-ignore", "unknown-ignore", "unused-ignore"}, code)
}

// ignore returns the edit that adds a comment that ignores a finding, on a line before the attribute or the block that the
// finding is about. The user must write the reason; a rule reports a missing one.
func (s *server) ignore(d *document, docs map[string]*document, f finding) textEdit {
	at := d.text.offset(f.Range.Start)
	if src := s.project(d, docs).sources[d.path]; src != nil {
		if a := src.AttrAt(at); a != nil {
			at = a.At.Start
		}
	}
	line := d.text.lines[d.text.position(at).Line]
	rest := d.text.src[line:]
	indent := rest[:len(rest)-len(bytes.TrimLeft(rest, " \t"))]
	end := "\n"
	if i := bytes.IndexByte(d.text.src, '\n'); i > 0 && d.text.src[i-1] == '\r' {
		end = "\r\n"
	}
	return textEdit{d.text.span(line, line), string(indent) + "# pipec:ignore " + f.Code + end}
}

// allFixes returns the certain fixes of a document. Of overlapping ones it returns the first.
func allFixes(d *document, found []finding) []textEdit {
	var all []textEdit
	for _, f := range found {
		for _, r := range f.repairs {
			if r.certain && r.path == d.path {
				all = append(all, r.edit)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b textEdit) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Character, b.Range.Start.Character))
	})
	var out []textEdit
	for _, e := range all {
		if n := len(out); n == 0 || !e.Range.Start.before(out[n-1].Range.End) && e.Range != out[n-1].Range {
			out = append(out, e)
		}
	}
	return out
}

func (p position) before(q position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Character < q.Character
}

// touches reports whether two ranges share a character or an end.
func (r span) touches(o span) bool { return !r.End.before(o.Start) && !o.End.before(r.Start) }
