package lsp

import (
	"bytes"
	"context"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/format"
)

// formatting formats the document as `pipec fmt` does. A document that can't be parsed is not changed; the diagnostics
// contain the reason.
func (s *server) formatting(p documentParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		if v.YAML() {
			return nil, nil // its comments and its layout are the user's own, as for pipec fmt
		}
		crlf := bytes.Contains(v.text.src, []byte("\r\n"))
		src := bytes.ReplaceAll(v.text.src, []byte("\r\n"), []byte("\n"))
		var diags diag.List
		out, ok := format.Source(v.doc.path, src, &diags)
		if !ok {
			return nil, nil
		}
		if crlf {
			out = bytes.ReplaceAll(out, []byte("\n"), []byte("\r\n"))
		}
		return v.text.difference(out), nil
	})
}

// difference returns the edit of whole lines that changes this text to another. Equal lines at the start and end are not
// touched, so that cursors and folds stay where they are.
func (t *text) difference(out []byte) []textEdit {
	if bytes.Equal(t.src, out) {
		return []textEdit{}
	}
	start, end, outEnd := 0, len(t.src), len(out)
	for start < end && start < outEnd && t.src[start] == out[start] {
		start++
	}
	start = bytes.LastIndexByte(t.src[:start], '\n') + 1
	for end > start && outEnd > start && t.src[end-1] == out[outEnd-1] {
		end--
		outEnd--
	}
	// The remaining text at the end begins with a whole line.
	rest := bytes.IndexByte(t.src[end:], '\n') + 1
	if rest == 0 {
		rest = len(t.src) - end
	}
	return []textEdit{{t.span(start, end+rest), string(out[start : outEnd+rest])}}
}
