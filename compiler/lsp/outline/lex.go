package outline

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

// token is a token of HCL's lexer with only the necessary fields, because a file has very many of them.
type token struct {
	kind       hclsyntax.TokenType
	start, end int32
}

// maxMends is how often an unclosed string is closed at the end of its line. Each time the rest of the file is lexed again.
const maxMends = 16

// lex returns the tokens of src. A string that is not closed on its line ends there: it is being typed, and the next lines
// don't belong to it. What is nested too deep is not read, or only up to the comment that is never closed.
func lex(src []byte) []token {
	if r := expr.Gate(src); r != nil {
		if !r.Unclosed {
			return []token{{kind: hclsyntax.TokenEOF}}
		}
		src = src[:min(max(r.Pos.Byte, 0), len(src))]
		if r = expr.Gate(src); r != nil {
			return []token{{kind: hclsyntax.TokenEOF}}
		}
	}
	var out []token
	at := 0
	for mends := 0; ; mends++ {
		raw, _ := hclsyntax.LexConfig(src[at:], "", hcl.InitialPos)
		cut := -1
		if mends < maxMends {
			cut = unclosed(raw)
		}
		if cut >= 0 {
			raw = raw[:cut]
		}
		for _, t := range raw {
			out = append(out, token{t.Type, int32(at + t.Range.Start.Byte), int32(at + t.Range.End.Byte)})
		}
		if cut < 0 {
			return out
		}
		at = int(out[len(out)-1].end)
		out = append(out, token{hclsyntax.TokenCQuote, int32(at), int32(at)}) // a missing quote has no length
	}
}

// unclosed returns the index of the first token after a string that is not closed on its line, or -1: the end of the line
// in the string itself or, in an interpolation of it, a line end before a new attribute or block.
func unclosed(tokens hclsyntax.Tokens) int {
	var open []hclsyntax.TokenType // of quotes, heredocs and interpolations
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, t.Type)
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(0, len(open)-1)]
		case hclsyntax.TokenQuotedNewline:
			return i
		case hclsyntax.TokenNewline:
			if len(open) >= 2 && open[0] == hclsyntax.TokenOQuote && beginsItem(tokens[i+1:]) {
				return i
			}
		}
	}
	return -1
}

// beginsItem reports whether tokens begin with what an expression can't contain: name =, name {, name "label".
func beginsItem(tokens hclsyntax.Tokens) bool {
	if len(tokens) < 2 || tokens[0].Type != hclsyntax.TokenIdent {
		return false
	}
	switch tokens[1].Type {
	case hclsyntax.TokenEqual, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote:
		return true
	}
	return false
}
