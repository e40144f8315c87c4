package outline

import (
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// bracket is an open bracket in an expression.
type bracket struct {
	closer hclsyntax.TokenType
	bound  []string // names of a `for` in it
	ref    *Ref     // of an index: what is indexed
}

// expression reads up to the end of the line or the brace that ends it, and records the references in it.
func (p *parser) expression(attr *Attr) {
	e := expression{parser: p, attr: attr}
	for e.next() {
	}
}

type expression struct {
	*parser
	attr *Attr
	open []bracket
	loop []string            // names of `for` in a template: they hold to the end
	last hclsyntax.TokenType // the token before this one, ignoring comments
}

func (e *expression) next() bool {
	t, k := e.at(0), e.peek()
	switch k {
	case hclsyntax.TokenEOF:
		return false
	case hclsyntax.TokenNewline:
		if len(e.open) == 0 || e.broken && e.itemFollows() {
			return false
		}
	case hclsyntax.TokenComment:
		e.i++
		return true
	case hclsyntax.TokenIdent:
		e.ident(t)
		return true
	}
	e.i++
	if c := closer(k); c != 0 {
		e.open = append(e.open, bracket{closer: c})
	} else if k == hclsyntax.TokenCBrace || k == hclsyntax.TokenCBrack || k == hclsyntax.TokenCParen || k == hclsyntax.TokenTemplateSeqEnd {
		if !e.close(k) {
			e.i-- // it closes what is around the expression
			return false
		}
		k = e.last
	}
	e.last = k
	return true
}

// close leaves the innermost bracket that a token closes, and continues after an index. It returns false if none is open.
func (e *expression) close(k hclsyntax.TokenType) bool {
	e.last = k
	for i := len(e.open) - 1; i >= 0; i-- {
		if e.open[i].closer != k {
			continue
		}
		b := e.open[i]
		e.open = e.open[:i]
		if b.ref != nil {
			e.chain(b.ref)
		}
		return true
	}
	return k != hclsyntax.TokenCBrace // a stray ) or ] ends nothing
}

// itemFollows reports whether an attribute or a block begins on the next line, inside of brackets. The brackets are not
// closed yet then.
func (e *expression) itemFollows() bool {
	n := 1
	for kind(e.file.Src, e.at(n)) == hclsyntax.TokenNewline {
		n++
	}
	if e.at(n).kind != hclsyntax.TokenIdent {
		return false
	}
	switch e.at(n + 1).kind {
	case hclsyntax.TokenEqual:
		return e.open[len(e.open)-1].closer != hclsyntax.TokenCBrace
	case hclsyntax.TokenOBrace, hclsyntax.TokenOQuote:
		return true
	}
	return false
}

// ident reads a name of a reference, a call, a key of an object, or a `for`.
func (e *expression) ident(t token) {
	name := string(e.file.Src[t.start:t.end])
	before := e.last
	e.i++
	e.last = hclsyntax.TokenIdent
	switch after := e.at(0).kind; {
	case before == hclsyntax.TokenDot: // behind a call or a bracket: an attribute of some value
	case after == hclsyntax.TokenOParen:
		e.file.Calls = append(e.file.Calls, Call{e.attr, name, e.span(t)})
	case name == "for" && (before == hclsyntax.TokenOBrack || before == hclsyntax.TokenOBrace || before == hclsyntax.TokenTemplateControl):
		e.forNames()
	case e.isKey(before, after):
	case e.isBound(name):
		e.chain(&Ref{}) // what follows belongs to a value of `for`
	default:
		r := &Ref{Block: e.block, Attr: e.attr, Parts: []Part{{name, e.span(t)}}}
		e.file.Refs = append(e.file.Refs, r)
		e.chain(r)
	}
}

// isKey reports whether a name is the key of an object: { name = …, name: … }.
func (e *expression) isKey(before, after hclsyntax.TokenType) bool {
	if len(e.open) == 0 || e.open[len(e.open)-1].closer != hclsyntax.TokenCBrace || after != hclsyntax.TokenEqual && after != hclsyntax.TokenColon {
		return false
	}
	return before == hclsyntax.TokenOBrace || before == hclsyntax.TokenComma || before == hclsyntax.TokenNewline
}

func (e *expression) isBound(name string) bool {
	return slices.Contains(e.loop, name) || slices.ContainsFunc(e.open, func(b bracket) bool { return slices.Contains(b.bound, name) })
}

// forNames reads the names between `for` and `in`.
func (e *expression) forNames() {
	names := &e.open[len(e.open)-1].bound
	if e.open[len(e.open)-1].closer == hclsyntax.TokenTemplateSeqEnd {
		names = &e.loop
	}
	for {
		t := e.at(0)
		name := string(e.file.Src[t.start:t.end])
		switch {
		case t.kind == hclsyntax.TokenIdent && name != "in":
			*names = append(*names, name)
		case t.kind != hclsyntax.TokenComma:
			return
		}
		e.i++
	}
}

// chain reads what follows a name: .name, [index], [*], .*
func (e *expression) chain(r *Ref) {
	for {
		switch t := e.at(0); {
		case t.kind == hclsyntax.TokenDot && e.at(1).kind == hclsyntax.TokenIdent:
			name := e.at(1)
			r.add(Part{string(e.file.Src[name.start:name.end]), e.span(name)})
			e.i += 2
		case t.kind == hclsyntax.TokenDot && (e.at(1).kind == hclsyntax.TokenStar || e.at(1).kind == hclsyntax.TokenNumberLit):
			e.i += 2
		case t.kind == hclsyntax.TokenDot:
			r.add(Part{"", Span{int(t.end), int(t.end)}})
			e.i++
			return
		case t.kind == hclsyntax.TokenOBrack:
			e.open = append(e.open, bracket{closer: hclsyntax.TokenCBrack, ref: r})
			e.last = hclsyntax.TokenOBrack
			e.i++
			return
		default:
			return
		}
	}
}

// add adds a part to a reference. A variable of `for` gets no parts.
func (r *Ref) add(p Part) {
	if len(r.Parts) > 0 {
		r.Parts = append(r.Parts, p)
	}
}
