package outline

import (
	"sort"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Keys returns the keys of the outermost object in a range of the file, without quotes.
func (f *File) Keys(s Span) []Span {
	if f.yaml != nil {
		return f.yaml.keys(s)
	}
	var out []Span
	depth := 0
	before := hclsyntax.TokenNewline
	for i := f.tokenAt(s.Start); i < len(f.tokens) && int(f.tokens[i].start) < s.End; i++ {
		t := f.tokens[i]
		switch {
		case int(t.start) < s.Start || t.kind == hclsyntax.TokenComment:
			continue
		case closer(t.kind) != 0:
			depth++
		case t.kind == hclsyntax.TokenCBrace || t.kind == hclsyntax.TokenCBrack || t.kind == hclsyntax.TokenCParen || t.kind == hclsyntax.TokenTemplateSeqEnd:
			depth--
		case depth == 1 && (before == hclsyntax.TokenOBrace || before == hclsyntax.TokenComma || before == hclsyntax.TokenNewline):
			at := i
			if t.kind == hclsyntax.TokenOQuote && i+2 < len(f.tokens) && f.tokens[i+2].kind == hclsyntax.TokenCQuote {
				at = i + 1
			}
			if k := f.tokens[at].kind; k == hclsyntax.TokenIdent || k == hclsyntax.TokenQuotedLit {
				out = append(out, Span{int(f.tokens[at].start), int(f.tokens[at].end)})
			}
		}
		before = t.kind
	}
	return out
}

// tokenAt returns the index of the last token that starts at an offset or before it.
func (f *File) tokenAt(offset int) int {
	return max(0, sort.Search(len(f.tokens), func(i int) bool { return int(f.tokens[i].start) > offset })-1)
}

// Cursor describes the surroundings of a cursor.
type Cursor struct {
	Block  *Block   // whose body it is in
	Attr   *Attr    // whose value it is in; nil in a body itself
	Header *Block   // whose labels it is in; Attr is nil then
	Word   Span     // of the name that it is in or behind; empty where it is in none
	Text   bool     // it is in the text of a string or a heredoc
	String Span     // of that string, without quotes; empty for a heredoc
	Starts bool     // in a body: only Word is before it on the line, so that an item may begin here
	Key    bool     // in an object: where a key is written
	Depth  int      // of brackets that are open between the start of the value and the cursor
	Silent bool     // it is in a comment, a number, or behind something that ends a value
	Bare   bool     // in a file in YAML: in a value, but not in an expression
	After  []string // the names of the reference that a string is compared with
}

// CursorAt returns the surroundings of an offset.
func (f *File) CursorAt(offset int) Cursor {
	if f.yaml != nil {
		return f.yamlCursor(offset)
	}
	c := Cursor{Block: f.BlockAt(offset), Word: Span{offset, offset}}
	i := f.tokenAt(max(0, offset-1))
	if int(f.tokens[i].end) < offset { // between two tokens
		i++
	} else if t := f.tokens[i]; t.kind == hclsyntax.TokenIdent && int(t.start) < offset {
		c.Word = Span{int(t.start), int(t.end)}
	} else {
		i++
	}
	if i < len(f.tokens) && c.Word.Start == c.Word.End && f.tokens[i].kind == hclsyntax.TokenIdent && int(f.tokens[i].start) == offset {
		c.Word.End = int(f.tokens[i].end)
	}
	c.inText(f, offset)
	c.Silent = f.silent(offset)
	if h := f.HeaderAt(offset); h != nil && offset > h.At.End {
		c.Header = h
		return c
	}
	if a := f.AttrAt(offset); a != nil && offset >= a.Value.Start {
		c.Attr = a
		c.inValue(f, a.Value.Start)
		return c
	}
	c.Starts = f.startsItem(c.Word.Start) && !c.Text
	return c
}

// inText finds the string or the heredoc whose text contains the cursor.
func (c *Cursor) inText(f *File, offset int) {
	start := 0
	for n := c.Block; n != nil && start == 0; n = n.Parent {
		start = n.Body.Start
	}
	c.inTextFrom(f, start, offset, nil)
}

// inTextFrom does so from a position where the cursor may already be in strings, outermost first.
func (c *Cursor) inTextFrom(f *File, start, offset int, open []Span) {
	for i := f.tokenAt(start); i < len(f.tokens) && int(f.tokens[i].start) < offset; i++ {
		switch t := f.tokens[i]; t.kind {
		case hclsyntax.TokenOQuote:
			open = append(open, Span{int(t.end), -1})
		case hclsyntax.TokenOHeredoc:
			open = append(open, Span{int(t.end), int(t.end)})
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, Span{-1, 0})
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(0, len(open)-1)]
		}
	}
	if len(open) == 0 || open[len(open)-1].Start < 0 {
		return
	}
	s := open[len(open)-1]
	c.Text = true
	if s.End >= 0 {
		return
	}
	s.End = s.Start
	for i := f.tokenAt(s.Start); i < len(f.tokens) && (f.tokens[i].kind == hclsyntax.TokenQuotedLit || int(f.tokens[i].start) < s.Start); i++ {
		if int(f.tokens[i].start) >= s.Start {
			s.End = int(f.tokens[i].end)
		}
	}
	c.String = s
}

// inValue finds how deep in a value, which starts at an offset, the cursor is, and whether it is at a key of an object.
func (c *Cursor) inValue(f *File, start int) {
	type open struct {
		closer hclsyntax.TokenType
		key    bool
	}
	stack := []open{}
	var last []string
	for i := f.tokenAt(start); i < len(f.tokens) && int(f.tokens[i].end) <= c.Word.Start; i++ {
		t := f.tokens[i]
		if int(t.start) < start {
			continue
		}
		k := kind(f.Src, t)
		switch {
		case closer(k) != 0:
			stack = append(stack, open{closer(k), k == hclsyntax.TokenOBrace})
		case len(stack) > 0 && stack[len(stack)-1].closer == k:
			stack = stack[:len(stack)-1]
		case len(stack) > 0 && (k == hclsyntax.TokenComma || k == hclsyntax.TokenNewline):
			stack[len(stack)-1].key = stack[len(stack)-1].closer == hclsyntax.TokenCBrace
		case len(stack) > 0 && k != hclsyntax.TokenComment:
			stack[len(stack)-1].key = false
		}
		switch k {
		case hclsyntax.TokenIdent:
			last = append(last, string(f.Src[t.start:t.end]))
		case hclsyntax.TokenDot, hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenOQuote:
		default:
			if !c.Text || int(t.start) < c.String.Start {
				last = nil
			}
		}
	}
	c.Depth = len(stack)
	c.Key = len(stack) > 0 && stack[len(stack)-1].key
	c.After = last
}

// silent reports whether an offset is in a comment or a number.
func (f *File) silent(offset int) bool {
	t := f.tokens[f.tokenAt(max(0, offset-1))]
	if int(t.start) >= offset || int(t.end) < offset {
		return false
	}
	switch t.kind {
	case hclsyntax.TokenComment:
		return int(t.end) > offset || f.Src[t.end-1] != '\n'
	case hclsyntax.TokenNumberLit:
		return true
	}
	return false
}

// startsItem reports whether an item of a body may begin at an offset: only a brace may precede it on its line.
func (f *File) startsItem(offset int) bool {
	for i := f.tokenAt(max(0, offset-1)); i >= 0; i-- {
		t := f.tokens[i]
		if int(t.end) > offset || t.end == t.start {
			continue
		}
		switch k := kind(f.Src, t); k {
		case hclsyntax.TokenNewline, hclsyntax.TokenOBrace, hclsyntax.TokenQuotedNewline:
			return true
		case hclsyntax.TokenComment:
			continue
		default:
			return false
		}
	}
	return true
}

// CallAround returns the call whose arguments contain an offset, and the index of the argument; "" if there is none.
func (f *File) CallAround(offset int) (name string, argument int) {
	a := f.AttrAt(offset)
	if a == nil {
		return "", 0
	}
	type open struct {
		call   string
		commas int
	}
	stack := []open{}
	for i := f.tokenAt(a.Value.Start); i < len(f.tokens) && int(f.tokens[i].end) <= offset; i++ {
		t := f.tokens[i]
		switch {
		case int(t.start) < a.Value.Start:
		case closer(t.kind) != 0:
			call := ""
			if before := f.tokens[max(0, i-1)]; t.kind == hclsyntax.TokenOParen && before.kind == hclsyntax.TokenIdent {
				call = string(f.Src[before.start:before.end])
			}
			stack = append(stack, open{call: call})
		case t.kind == hclsyntax.TokenCBrace || t.kind == hclsyntax.TokenCBrack || t.kind == hclsyntax.TokenCParen || t.kind == hclsyntax.TokenTemplateSeqEnd:
			stack = stack[:max(0, len(stack)-1)]
		case t.kind == hclsyntax.TokenComma && len(stack) > 0:
			stack[len(stack)-1].commas++
		}
	}
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].call != "" {
			return stack[i].call, stack[i].commas
		}
	}
	return "", 0
}
