package python

import (
	"bytes"
	"strings"
)

// maxNested is how many f-strings may be inside each other.
const maxNested = 32

// string reads a string, of which the prefix was read.
func (s *scanner) string(start Position, prefix string) bool {
	end := stringEnd(s.src, s.at.Byte, prefix, 0)
	if end < 0 {
		return false
	}
	s.advance(end - s.at.Byte)
	s.now.tokens = append(s.now.tokens, token{text: `"`, start: start, end: s.at, depth: len(s.depth)})
	return true
}

// stringEnd returns the offset behind the string whose quotes begin at an offset; -1 if it has no end.
func stringEnd(src []byte, at int, prefix string, nested int) int {
	quote := src[at : at+1]
	if triple := bytes.Repeat(quote, 3); bytes.HasPrefix(src[at:], triple) {
		quote = triple
	}
	formatted := strings.ContainsAny(prefix, "ft")
	for at += len(quote); at < len(src); {
		switch c := src[at]; {
		case bytes.HasPrefix(src[at:], quote):
			return at + len(quote)
		case c == '\\':
			at += 2
		case c == '\n' && len(quote) == 1:
			return -1
		case formatted && c == '{' && at+1 < len(src) && src[at+1] == '{':
			at += 2
		case formatted && c == '{':
			if at = expressionEnd(src, at, quote, nested+1); at < 0 {
				return -1
			}
		default:
			at++
		}
	}
	return -1
}

// expressionEnd returns the offset behind the {…} of an f-string that begins at an offset. Before Python 3.12 the quotes of
// the string can't be in it, and since then they begin a string of their own.
func expressionEnd(src []byte, at int, quote []byte, nested int) int {
	if nested > maxNested {
		return -1
	}
	depth := 0
	for at < len(src) {
		switch c := src[at]; c {
		case '{', '(', '[':
			depth++
			at++
		case '}', ')', ']':
			depth--
			at++
			if depth == 0 {
				return at
			}
		case '\n':
			if len(quote) == 1 && depth == 1 {
				return -1
			}
			at++
		case '"', '\'':
			if at = stringEnd(src, at, prefixBefore(src, at), nested); at < 0 {
				return -1
			}
		default:
			at++
		}
	}
	return -1
}

// prefixBefore returns the prefix of the string whose quotes begin at an offset.
func prefixBefore(src []byte, at int) string {
	from := at
	for from > 0 && from > at-2 && strings.IndexByte("rRbBuUfFtT", src[from-1]) >= 0 {
		from--
	}
	return strings.ToLower(string(src[from:at]))
}
