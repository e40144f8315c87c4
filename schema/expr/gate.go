package expr

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limits of the text that is passed to HCL's parser. The parser recurses, and a stack overflow ends the process.
const (
	MaxFile      = 16 << 20 // bytes in a source file
	MaxNesting   = 256      // brackets, braces, parentheses, strings and templates inside each other
	MaxSigns     = 256      // of `!`, `-` and `?` that can be inside each other
	MaxOperators = 4096     // of all other operators that can be: each is a level of the tree that is walked
	MaxControls  = 1024     // of `%{` in one template, each of which may open a level
	MaxPieces    = 10_000   // of lines, and of % and $ that start nothing, in one text: joining them costs the square
	MaxDigits    = 1024     // in a number, and 3 in its exponent: numbers are exact, and cost the square of their digits
)

// Refusal reports why and where a text was rejected before parsing.
type Refusal struct {
	Pos      hcl.Pos // from the start of the text
	Why      string
	Unclosed bool // a comment that is never closed; all else is a limit
}

const unclosed = "this comment is never closed: */ is missing"

func (r *Refusal) Error() string { return r.Why }

// Gate scans the source of a file once and rejects text that could overflow the parser's stack or make its lexer quadratic. It is
// not a parser: it follows HCL's lexer in what is text and what is code, and counts. nil means that src is safe to parse, not that
// it is correct.
func Gate(src []byte) *Refusal { return scan(src, 'B') }

// GateExpression is like Gate for a text that is one expression.
func GateExpression(src []byte) *Refusal { return scan(src, '(') }

// GateTemplate is like Gate for a text that is one template without quotes around it.
func GateTemplate(src []byte) *Refusal { return scan(src, 'T') }

func scan(src []byte, base byte) *Refusal {
	if len(src) > MaxFile {
		return &Refusal{Pos: hcl.InitialPos, Why: fmt.Sprintf("the file has %d bytes, and the limit is %d", len(src), MaxFile)}
	}
	all := len(src)
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	mark := all - len(src)
	g := gate{src: src, levels: []level{{kind: base}}}
	why := ""
	for ; g.i < len(g.src) && why == ""; g.i++ {
		if k := g.top().kind; k == '"' || k == 'H' || k == 'T' {
			why = g.template()
		} else {
			why = g.code()
		}
	}
	if why == "" {
		return nil
	}
	at := min(g.i-1, len(src))
	line := 1 + bytes.Count(src[:at], []byte("\n"))
	return &Refusal{Pos: hcl.Pos{Line: line, Column: at - bytes.LastIndexByte(src[:at], '\n'), Byte: at + mark}, Why: why, Unclosed: why == unclosed}
}

// level is what a brace, a string, a heredoc or an interpolation opens. As in the lexer, `(` and `[` open none: a `}`
// ends an interpolation whatever else is open.
type level struct {
	kind     byte   // 'B' body, '{' object, 'F' `{ for`, '"' string, 'H' heredoc, 'T' template, '$' interpolation, '(' expression
	marker   []byte // of a heredoc
	brackets []counts
	counts
	assigned bool // in a body: an `=` was seen on this line, so an expression follows
	midline  bool // in a heredoc: this line holds an interpolation, so it can't be the end
	pieces   int  // of a text: what the lexer cuts it into
}

// counts are the signs and operators of the item that is read, inside the innermost bracket.
type counts struct{ signs, operators, controls int }

type gate struct {
	src    []byte
	i      int
	levels []level
	total  counts // of all open levels and brackets
	depth  int
	cost   int // of joining the pieces of all texts: the sum of their squares
}

func (g *gate) top() *level { return &g.levels[len(g.levels)-1] }

func (g *gate) deeper() string {
	if g.depth++; g.depth > MaxNesting {
		return fmt.Sprintf("nested more than %d deep", MaxNesting)
	}
	return ""
}

func (g *gate) push(l level) string {
	g.levels = append(g.levels, l)
	return g.deeper()
}

func (g *gate) pop() {
	for len(g.top().brackets) > 0 {
		g.closeBracket()
	}
	if len(g.levels) > 1 {
		g.reset()
		g.levels = g.levels[:len(g.levels)-1]
		g.depth--
	}
}

func (g *gate) openBracket() string {
	l := g.top()
	l.brackets = append(l.brackets, l.counts)
	l.counts = counts{}
	return g.deeper()
}

func (g *gate) closeBracket() {
	l := g.top()
	if n := len(l.brackets); n > 0 {
		g.reset()
		l.counts, l.brackets = l.brackets[n-1], l.brackets[:n-1]
		g.depth--
	}
}

// reset forgets the item that was read: what follows is not inside of it.
func (g *gate) reset() {
	l := g.top()
	g.total.signs -= l.signs
	g.total.operators -= l.operators
	l.signs, l.operators = 0, 0
}

func (g *gate) sign() string {
	g.top().signs++
	if g.total.signs++; g.total.signs > MaxSigns {
		return fmt.Sprintf("more than %d operators !, - and ? in one expression", MaxSigns)
	}
	return ""
}

func (g *gate) operator() string {
	g.top().operators++
	if g.total.operators++; g.total.operators > MaxOperators {
		return fmt.Sprintf("more than %d operators in one expression", MaxOperators)
	}
	return ""
}

// piece is a part of a text that the lexer makes a token of its own.
func (g *gate) piece() string {
	l := g.top()
	l.pieces++
	if g.cost += 2*l.pieces - 1; g.cost > MaxPieces*MaxPieces {
		return fmt.Sprintf("more than %d lines, %% and $ in one text, or too many in several texts; read a long text with file(…)", MaxPieces)
	}
	return ""
}

// template reads one byte, or one sequence, of the text of a string or a heredoc.
func (g *gate) template() string {
	l, c := g.top(), g.src[g.i]
	switch {
	case (c == '$' || c == '%') && bytes.HasPrefix(g.src[g.i+1:], []byte{c, '{'}):
		g.i += 2
		return g.piece()
	case (c == '$' || c == '%') && bytes.HasPrefix(g.src[g.i+1:], []byte{'{'}):
		g.i++
		l.midline = true
		if c == '%' {
			if l.controls++; l.controls > MaxControls {
				return fmt.Sprintf("more than %d %%{…} in one template", MaxControls)
			}
		}
		return g.push(level{kind: '$'})
	case c == '$' || c == '%':
		return g.piece()
	case l.kind == 'H':
		if c == '\n' {
			why := g.piece()
			g.heredocLine()
			return why
		}
	case l.kind == 'T':
		if c == '\n' {
			return g.piece()
		}
	case c == '\\':
		g.i++
	case c == '"':
		g.pop()
	}
	return ""
}

// heredocLine is called at a newline inside a heredoc, and ends the heredoc if the next line is its marker.
func (g *gate) heredocLine() {
	l := g.top()
	l.midline = false
	rest := g.src[g.i+1:]
	end := bytes.IndexByte(rest, '\n')
	if end >= 0 && bytes.Equal(bytes.TrimSpace(rest[:end]), l.marker) {
		g.i += end
		g.pop()
	}
}

// code reads about one token outside of text.
func (g *gate) code() string {
	l := g.top()
	switch c := g.src[g.i]; c {
	case '"':
		return g.push(level{kind: '"'})
	case '#':
		g.skipLine()
	case '/':
		return g.slash()
	case '<':
		if marker := heredoc(g.src[g.i:]); marker != nil {
			g.skipLine()
			return g.push(level{kind: 'H', marker: marker})
		}
		return g.operator()
	case '(', '[':
		if why := g.operator(); why != "" {
			return why
		}
		return g.openBracket()
	case ')', ']':
		g.closeBracket()
	case '{':
		return g.push(level{kind: g.brace()})
	case '}':
		g.pop()
	case ',':
		g.reset()
	case '\n':
		if len(l.brackets) == 0 && (l.kind == 'B' || l.kind == '{') {
			g.reset()
			l.assigned = false
		}
	case '=':
		l.assigned = true
		return g.operator()
	case '!', '?':
		return g.sign()
	case '-':
		return g.sign()
	case '+', '*', '%', '&', '|', '>', '.':
		return g.operator()
	default:
		if letter(c) {
			g.name()
		} else if digit(c) {
			return g.number()
		}
	}
	return ""
}

// number goes to the last byte of a number.
func (g *gate) number() string {
	start, exponent := g.i, -1
	for g.i+1 < len(g.src) {
		switch c := g.src[g.i+1]; {
		case digit(c) || c == '.':
		case c|0x20 == 'e' && exponent < 0:
			exponent = g.i + 2
		case (c == '+' || c == '-') && exponent == g.i+1:
			exponent++
		default:
			return ""
		}
		g.i++
		if g.i-start >= MaxDigits || exponent > 0 && g.i-exponent >= 3 {
			return "this number is too long, or too large or small"
		}
	}
	return ""
}

// name goes to the last byte of a name. A dash belongs to it; after a byte beyond ASCII, which may be no letter, the
// dashes are counted as signs.
func (g *gate) name() {
	for g.i+1 < len(g.src) && (letter(g.src[g.i+1]) || digit(g.src[g.i+1]) || g.src[g.i+1] == '-' && g.src[g.i] < 0x80) {
		g.i++
	}
}

// brace returns what the current `{` opens.
func (g *gate) brace() byte {
	if l := g.top(); l.kind == 'B' && !l.assigned && len(l.brackets) == 0 {
		return 'B'
	}
	rest := bytes.TrimLeft(g.src[g.i+1:min(len(g.src), g.i+1024)], " \t\r\n")
	if len(rest) == 0 || rest[0] == '#' || rest[0] == '/' || bytes.HasPrefix(rest, []byte("for")) {
		return 'F' // newlines don't end an item there, or may not
	}
	return '{'
}

func (g *gate) slash() string {
	switch {
	case bytes.HasPrefix(g.src[g.i:], []byte("//")):
		g.skipLine()
	case bytes.HasPrefix(g.src[g.i:], []byte("/*")):
		end := bytes.Index(g.src[g.i+2:], []byte("*/"))
		if end < 0 {
			g.i++
			return unclosed
		}
		g.i += end + 3
	default:
		return g.operator()
	}
	return ""
}

// skipLine goes to just before the newline that ends this line.
func (g *gate) skipLine() {
	if end := bytes.IndexByte(g.src[g.i:], '\n'); end >= 0 {
		g.i += end - 1
	} else {
		g.i = len(g.src)
	}
}

// heredoc returns the marker where src starts a heredoc, else nil.
func heredoc(src []byte) []byte {
	if !bytes.HasPrefix(src, []byte("<<")) {
		return nil
	}
	marker := bytes.TrimPrefix(src[2:], []byte("-"))
	n := 0
	for n < len(marker) && (letter(marker[n]) || digit(marker[n]) || marker[n] == '-') {
		n++
	}
	end := bytes.TrimPrefix(marker[n:], []byte("\r"))
	if len(end) == 0 || end[0] != '\n' || !hclsyntax.ValidIdentifier(string(marker[:n])) {
		return nil
	}
	return marker[:n]
}

func letter(c byte) bool { return c == '_' || c >= 0x80 || 'a' <= c|0x20 && c|0x20 <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }
