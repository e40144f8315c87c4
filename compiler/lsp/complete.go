package lsp

import (
	"context"
	"fmt"
	"strings"

	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/language"
)

// completer collects what may stand at a cursor.
type completer struct {
	*view
	cursor   outline.Cursor
	snippets bool
	items    []completionItem
}

// completion lists what may stand at a position.
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

// add puts an item on the list that is written in the place of a stretch of the document. rank orders: lower ones come
// first.
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

// labels are the kinds that a block's label may be, or the params that an input of a call may be given to.
func (c *completer) labels(b *outline.Block) {
	at := c.cursor.Word
	quote := `"`
	if c.cursor.Text {
		at, quote = c.cursor.String, ""
	}
	offer := func(name, detail, doc string) {
		c.add(0, at, completionItem{Label: name, Kind: itemEnum, Detail: detail, Documentation: markdown(doc), FilterText: quote + name + quote}, quote+name+quote)
	}
	if b.Def != nil {
		for _, name := range b.Def.Labels {
			offer(name, b.Type, b.Def.Doc)
		}
	}
	if b.Type != "input" || b.Parent.Attr("pipeline") == nil {
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

// hasBlock says whether a block of a type, and of a label where one is given, is in parent; but is not counted.
func hasBlock(parent *outline.Block, typ, label string, but *outline.Block) bool {
	for _, n := range parent.Blocks {
		if n != but && n.Type == typ && (label == "" || n.Label() == label) {
			return true
		}
	}
	return false
}

// body are the attributes and blocks that may stand in a block and don't yet: what must be there first.
func (c *completer) body(b *outline.Block) {
	if b.Def == nil || b.Def.Free {
		return
	}
	word := c.cursor.Word
	rest := strings.TrimLeft(firstLine(string(c.Src[word.End:])), " \t")
	alone := rest == "" || rest[0] == '}' || rest[0] == '#' // else the name alone is written: its value is there
	for _, a := range b.Def.Attributes {
		have := b.Attr(a.Name)
		if have != nil && have.At != word || hasBlock(b, a.Name, "", c.blockOf(word)) || !language.Supported(a.Since) || a.Only != "" && a.Only != b.Label() {
			continue
		}
		item := completionItem{Label: a.Name, Kind: itemProperty, Detail: attributeType(a), Documentation: markdown(attributeDoc(a))}
		rank, text := 1, a.Name
		if a.Required {
			rank = 0
			item.Detail += ", required"
		}
		if alone {
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
		if !language.Supported(n.Since) || have != nil && have.At != word || n.Single && hasBlock(b, n.Name, "", c.blockOf(word)) {
			continue
		}
		item := completionItem{Label: n.Name, Kind: itemSnippet, Detail: "block", Documentation: markdown(blockDoc(n))}
		text := n.Name
		if alone && c.snippets {
			item.InsertFormat = 2
			text = blockSnippet(n)
		}
		c.add(2, word, item, text)
	}
}

// blockOf is the block whose type stands in a stretch of the document, or nil.
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

// valueSnippet is what a value looks like, with its n-th place to fill in.
func valueSnippet(a *language.Attribute, n int) string {
	switch {
	case len(a.OneOf) > 0:
		return fmt.Sprintf(`"${%d|%s|}"`, n, strings.Join(a.OneOf, ","))
	case a.Kind == language.Ref:
		return fmt.Sprintf("${%d:%s.}", n, a.Name)
	case a.Kind == language.Refs || strings.HasPrefix(a.Type, "list(") || strings.HasPrefix(a.Type, "set("):
		return fmt.Sprintf("[${%d}]", n)
	case a.Kind == language.Const && a.Type == "string":
		return fmt.Sprintf(`"${%d}"`, n)
	case a.Type == "bool" && a.Default == "false":
		return fmt.Sprintf("${%d:true}", n)
	case strings.HasPrefix(a.Type, "map("):
		return fmt.Sprintf("{\n\t${%d}\n}", n)
	}
	return fmt.Sprintf("${%d}", n)
}

// blockSnippet is a block with its label and its required attributes to fill in.
func blockSnippet(b *language.Block) string {
	n := 0
	next := func() int { n++; return n }
	text := b.Name
	switch {
	case b.Labels != nil:
		text += fmt.Sprintf(` "${%d|%s|}"`, next(), strings.Join(b.Labels, ","))
	case b.Label != "":
		text += fmt.Sprintf(` "${%d:%s}"`, next(), b.Label)
	}
	text += " {\n"
	for _, a := range b.Attributes {
		if a.Required && a.Only == "" {
			text += "\t" + a.Name + " = " + valueSnippet(a, next()) + "\n"
		}
	}
	return text + "\t$0\n}"
}
