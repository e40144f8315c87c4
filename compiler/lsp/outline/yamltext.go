package outline

import (
	"bytes"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/lsp/sketch"
	"pipec.dev/pipec/schema/expr"
)

const eof = hclsyntax.TokenEOF

func trimmed(s string) string { return strings.TrimSpace(s) }

// text records the references and calls in a text: a template, or an expression if whole.
func (w *walker) text(a *Attr, n *sketch.Node, whole bool) {
	src := w.Src[n.Inner.Start:n.Inner.End]
	if !whole && !bytes.Contains(src, []byte("${")) && !bytes.Contains(src, []byte("%{")) {
		return
	}
	src = unescaped(src, n.Style)
	gate := expr.GateTemplate
	if whole {
		gate = expr.GateExpression
	}
	if gate(src) != nil {
		return
	}
	start := hcl.Pos{Line: 1, Column: 1, Byte: n.Inner.Start}
	var raw hclsyntax.Tokens
	if whole {
		raw, _ = hclsyntax.LexExpression(src, "", start)
	} else {
		raw, _ = hclsyntax.LexTemplate(src, "", start)
	}
	from := len(w.tokens)
	for _, t := range raw {
		if t.Type == hclsyntax.TokenEOF || !whole && t.Type == hclsyntax.TokenStringLit {
			continue
		}
		w.tokens = append(w.tokens, token{t.Type, int32(t.Range.Start.Byte), int32(t.Range.End.Byte)})
	}
	tokens := append(w.tokens[from:len(w.tokens):len(w.tokens)], token{eof, int32(n.Inner.End), int32(n.Inner.End)})
	p := parser{file: &File{Src: w.Src, tokens: tokens}, block: a.Block}
	for p.peek() != eof {
		before := p.i
		p.expression(a)
		if p.i == before {
			p.i++
		}
	}
	w.Refs = append(w.Refs, p.file.Refs...)
	w.Calls = append(w.Calls, p.file.Calls...)
}

// unescaped returns text of the same length in which quotes that are escaped in YAML are plain quotes after a space.
func unescaped(src []byte, style sketch.Style) []byte {
	mark := byte(0)
	switch {
	case style == sketch.Double && bytes.IndexByte(src, '\\') >= 0:
		mark = '\\'
	case style == sketch.Single && bytes.IndexByte(src, '\'') >= 0:
		mark = '\''
	default:
		return src
	}
	out := bytes.Clone(src)
	for i := 0; i+1 < len(out); i++ {
		if out[i] != mark {
			continue
		}
		if c := out[i+1]; c == mark || c == '"' {
			out[i] = ' '
			i++
		} else if mark == '\\' && (c == 'n' || c == 't') { // an end of line in an expression counts as a space
			out[i], out[i+1] = ' ', ' '
			i++
		}
	}
	return out
}

// headAt returns the block whose type or label contains an offset of a file in YAML, or nil.
func (y *yaml) headAt(offset int) *Block {
	i := sort.Search(len(y.heads), func(i int) bool { return y.heads[i].at.Start > offset }) - 1
	if i < 0 || !y.heads[i].at.Holds(offset) {
		return nil
	}
	return y.heads[i].block
}

// attrAt returns the attribute whose name or value contains an offset of a file in YAML, or nil.
func (y *yaml) attrAt(offset int) *Attr {
	i := sort.Search(len(y.order), func(i int) bool { return y.order[i].At.Start > offset }) - 1
	if i < 0 || offset > max(y.order[i].At.End, y.order[i].Value.End) {
		return nil
	}
	return y.order[i]
}

// keys returns the keys of the map in a range of a file in YAML.
func (y *yaml) keys(s Span) []Span {
	a := y.attrAt(s.Start)
	if a == nil || y.values[a] == nil {
		return nil
	}
	var out []Span
	for _, e := range y.values[a].Entries {
		out = append(out, Span(e.Key.Inner))
	}
	return out
}
