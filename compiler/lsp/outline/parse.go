package outline

import (
	"sort"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/language"
)

// Parse returns the outline of any file.
func Parse(src []byte, root *language.Block) *File {
	p := parser{file: &File{Src: src, tokens: lex(src)}}
	p.broken = unbalanced(p.file.tokens)
	p.file.Root = &Block{Def: root, Open: true, Body: Span{0, len(src)}, Span: Span{0, len(src)}}
	p.block = p.file.Root
	for p.peek() != hclsyntax.TokenEOF {
		p.item()
	}
	for b := p.block; b.Parent != nil; b = b.Parent {
		b.Body.End, b.Span.End = len(src), len(src)
	}
	sort.SliceStable(p.file.Refs, func(i, j int) bool { return p.file.Refs[i].Parts[0].At.Start < p.file.Refs[j].Parts[0].At.Start })
	sort.SliceStable(p.file.Calls, func(i, j int) bool { return p.file.Calls[i].At.Start < p.file.Calls[j].At.Start })
	return p.file
}

type parser struct {
	file   *File
	i      int
	block  *Block
	broken bool // brackets are missing or redundant
}

// at is the token that many further on; the last one is EOF.
func (p *parser) at(n int) token {
	return p.file.tokens[min(p.i+n, len(p.file.tokens)-1)]
}

func (p *parser) peek() hclsyntax.TokenType { return kind(p.file.Src, p.at(0)) }

// kind is a token's type; a comment that ends its line is the end of the line.
func kind(src []byte, t token) hclsyntax.TokenType {
	if t.kind == hclsyntax.TokenComment && t.end > t.start && src[t.end-1] == '\n' {
		return hclsyntax.TokenNewline
	}
	return t.kind
}

func (p *parser) span(t token) Span { return Span{int(t.start), int(t.end)} }

// item reads one line of a body: an attribute, a block's header, a closing brace, or anything else.
func (p *parser) item() {
	switch p.peek() {
	case hclsyntax.TokenNewline, hclsyntax.TokenComment:
		p.i++
	case hclsyntax.TokenCBrace:
		if b := p.block; b.Parent != nil {
			b.Body.End, b.Span.End = int(p.at(0).start), int(p.at(0).end)
			p.block = b.Parent
		}
		p.i++
	case hclsyntax.TokenIdent:
		p.named()
	default:
		p.rest()
	}
}

// rest skips text that is not an item, up to the end of the line or a brace. It records references in the text, because
// they may be in the middle of being typed.
func (p *parser) rest() {
	before := p.i
	p.expression(nil)
	if p.i == before {
		p.i++
	}
}

func (p *parser) named() {
	name := p.at(0)
	switch p.at(1).kind {
	case hclsyntax.TokenEqual:
		a := &Attr{Block: p.block, Name: string(p.file.Src[name.start:name.end]), At: p.span(name)}
		if p.block.Def != nil {
			a.Def = p.block.Def.Attribute(a.Name)
		}
		p.block.Attrs = append(p.block.Attrs, a)
		a.Value.Start = int(p.at(1).end)
		p.i += 2
		p.expression(a)
		a.Value.End = max(a.Value.Start, int(p.at(0).start))
	case hclsyntax.TokenOBrace, hclsyntax.TokenOQuote, hclsyntax.TokenIdent:
		p.header()
	default:
		if p.block.Def != nil {
			if b := p.block.Def.Block(string(p.file.Src[name.start:name.end])); b != nil && !b.Bare() {
				p.header() // its label is not typed yet
				return
			}
		}
		p.rest()
	}
}

// header reads the type and the labels of a block and enters it.
func (p *parser) header() {
	b := &Block{Type: string(p.file.Src[p.at(0).start:p.at(0).end]), At: p.span(p.at(0))}
	p.leave(b.Type)
	b.Parent = p.block
	if p.block.Def != nil {
		b.Def = p.block.Def.Block(b.Type)
	}
	p.block.Blocks = append(p.block.Blocks, b)
	b.Span = b.At
	for p.i++; ; {
		switch t := p.at(0); t.kind {
		case hclsyntax.TokenOQuote:
			b.Labels = append(b.Labels, p.quoted())
		case hclsyntax.TokenIdent:
			b.Labels = append(b.Labels, Label{string(p.file.Src[t.start:t.end]), p.span(t)})
			p.i++
		case hclsyntax.TokenOBrace:
			b.Open = true
			b.Body = Span{int(t.end), int(t.end)}
			p.i++
			p.block = b
			return
		default: // the header is being typed
			b.Span.End = int(t.start)
			b.Body = Span{b.Span.End, b.Span.End}
			return
		}
	}
}

// quoted reads a label in quotes.
func (p *parser) quoted() Label {
	l := Label{At: Span{int(p.at(0).end), int(p.at(0).end)}}
	for p.i++; ; p.i++ {
		t := p.at(0)
		switch t.kind {
		case hclsyntax.TokenCQuote:
			p.i++
			fallthrough
		case hclsyntax.TokenEOF, hclsyntax.TokenNewline:
			l.At.End = int(t.start)
			l.Text = p.file.Text(l.At)
			return l
		}
	}
}

// leave closes blocks that are not closed in the source, if a block of this type is not allowed in them but is allowed in a
// block around them. For example, a step can't be in a step.
func (p *parser) leave(typ string) {
	if !p.broken {
		return
	}
	for b := p.block; b != nil; b = b.Parent {
		if b.Def == nil || b.Def.Block(typ) == nil {
			continue
		}
		for ; p.block != b; p.block = p.block.Parent {
			p.block.Body.End, p.block.Span.End = int(p.at(0).start), int(p.at(0).start)
		}
		return
	}
}

// unbalanced reports whether brackets don't match.
func unbalanced(tokens []token) bool {
	var open []hclsyntax.TokenType
	for _, t := range tokens {
		if closer(t.kind) != 0 {
			open = append(open, closer(t.kind))
			continue
		}
		switch t.kind {
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			if len(open) == 0 || open[len(open)-1] != t.kind {
				return true
			}
			open = open[:len(open)-1]
		}
	}
	return len(open) > 0
}

// closer returns the token that closes an opening token; 0 for all others.
func closer(t hclsyntax.TokenType) hclsyntax.TokenType {
	switch t {
	case hclsyntax.TokenOBrace:
		return hclsyntax.TokenCBrace
	case hclsyntax.TokenOBrack:
		return hclsyntax.TokenCBrack
	case hclsyntax.TokenOParen:
		return hclsyntax.TokenCParen
	case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		return hclsyntax.TokenTemplateSeqEnd
	}
	return 0
}
