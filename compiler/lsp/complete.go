package lsp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/language"
)

// completer collects what is possible at a cursor.
type completer struct {
	*view
	cursor   outline.Cursor
	snippets bool
	items    []completionItem
}

// completion lists what is possible at a position.
func (s *server) completion(p positionParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		offset := v.text.offset(p.Position)
		c := completer{view: v, cursor: v.CursorAt(offset), snippets: s.client.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport, items: []completionItem{}}
		switch {
		case c.cursor.Silent:
		case c.cursor.Header != nil:
			c.labels(c.cursor.Header)
		case c.cursor.Attr != nil:
			c.value(offset)
		case c.cursor.Starts:
			c.body(c.cursor.Block)
		}
		return completionList{Items: c.items}, nil
	})
}

// add adds an item that replaces a range of the document. rank sorts: lower ones come first.
func (c *completer) add(rank int, at outline.Span, item completionItem, text string) {
	item.SortText = fmt.Sprintf("%d%s", rank, item.Label)
	item.TextEdit = &textEdit{c.text.span(at.Start, at.End), text}
	if item.InsertFormat == 2 && !c.snippets {
		item.InsertFormat = 0
	}
	c.items = append(c.items, item)
}

func markdown(text string) *markup {
	if text == "" {
		return nil
	}
	return &markup{"markdown", text}
}

// labels adds the possible labels of a block; for an input, the params of the called pipeline, or the parameters of the function.
func (c *completer) labels(b *outline.Block) {
	at := c.cursor.Word
	before, after := `"`, `"`
	switch {
	case c.YAML():
		before, after = "", ""
		if c.alone(at.End) {
			after = ":"
		}
	case c.cursor.Text:
		at, before, after = c.cursor.String, "", ""
	}
	offer := func(name, detail, doc string) {
		item := completionItem{Label: name, Kind: itemEnum, Detail: detail, Documentation: markdown(doc)}
		if !c.YAML() {
			item.FilterText = before + name + after
		}
		c.add(0, at, item, before+name+after)
	}
	if b.Def != nil && !(c.YAML() && b.Def.Single && len(c.others(b)) > 0) {
		for _, name := range b.Def.Labels {
			offer(name, b.Type, b.Def.Doc)
		}
	}
	if b.Type != "input" {
		return
	}
	if b.Parent.Attr("pipeline") == nil {
		c.parameters(b, offer)
		return
	}
	if callee := c.index.Callee(c.File, b.Parent); callee != nil {
		for _, s := range c.index.Params(callee) {
			if !hasBlock(b.Parent, "input", s.Name, b) {
				offer(s.Name, c.typeOf(s), c.described(s))
			}
		}
	}
}

// hasBlock reports whether parent has a block of a type, and with a label if one is given, other than but.
func hasBlock(parent *outline.Block, typ, label string, but *outline.Block) bool {
	for _, n := range parent.Blocks {
		if n != but && n.Type == typ && (label == "" || n.Label() == label) {
			return true
		}
	}
	return false
}

// body adds the attributes and blocks that are possible in a block and missing. Required ones come first.
func (c *completer) body(b *outline.Block) {
	if b.Def == nil || b.Def.Free {
		return
	}
	word := c.cursor.Word
	alone := c.alone(word.End) // else the name alone is written: its value is there
	for _, a := range b.Def.Attributes {
		have := b.Attr(a.Name)
		if have != nil && have.At != word || hasBlock(b, a.Name, "", c.blockOf(word)) || !language.Supported(a.Since) || !a.For(b.Label()) {
			continue
		}
		item := completionItem{Label: a.Name, Kind: itemProperty, Detail: attributeType(a), Documentation: markdown(attributeDoc(a))}
		rank, text := 1, a.Name
		if a.Required {
			rank = 0
			item.Detail += ", required"
		}
		switch {
		case alone && c.YAML():
			text += ":"
			if c.snippets {
				item.InsertFormat = 2
				text += valueYAML(a, 1)
			}
		case alone:
			text += " = "
			if c.snippets {
				item.InsertFormat = 2
				text += valueSnippet(a, 1)
			}
		}
		c.add(rank, word, item, text)
	}
	for _, n := range b.Def.Blocks {
		have := b.Attr(n.Name) // such as cache, which is either
		if !language.Supported(n.Since) || !n.For(b.Label()) || have != nil && have.At != word || (n.Single || c.YAML()) && hasBlock(b, n.Name, "", c.blockOf(word)) {
			continue // in YAML, further blocks are next to the first, under one name
		}
		item := completionItem{Label: n.Name, Kind: itemSnippet, Detail: "block", Documentation: markdown(blockDoc(n))}
		text := n.Name
		switch {
		case alone && c.YAML() && !c.snippets:
			text += ":"
		case alone && c.YAML():
			item.InsertFormat = 2
			text = blockYAML(n)
		case alone && c.snippets:
			item.InsertFormat = 2
			text = blockSnippet(n)
		}
		c.add(2, word, item, text)
	}
}

// alone reports whether only a bracket or a comment follows on the line.
func (c *completer) alone(offset int) bool {
	rest := strings.TrimLeft(firstLine(string(c.Src[offset:])), " \t")
	return rest == "" || rest[0] == '}' || rest[0] == '#'
}

// others returns the blocks of the same type next to one.
func (c *completer) others(b *outline.Block) []*outline.Block {
	return slices.DeleteFunc(slices.Clone(b.Parent.Blocks), func(n *outline.Block) bool { return n == b || n.Type != b.Type })
}

// blockOf returns the block whose type is in a range of the document, or nil.
func (c *completer) blockOf(at outline.Span) *outline.Block {
	for _, n := range c.cursor.Block.Blocks {
		if n.At == at {
			return n
		}
	}
	return nil
}

func firstLine(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		return s[:i]
	}
	return s
}
