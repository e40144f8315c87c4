package python

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a name, a number, a string or a sign.
type token struct {
	text       string // a string is `"`
	start, end Position
	depth      int // how many brackets are open around it
}

// line is a logical line: a statement, or several with semicolons between them.
type line struct {
	indent int // columns; a tab goes to the next multiple of 8
	tokens []token
}

// scanner splits a text into logical lines.
type scanner struct {
	src   []byte
	at    Position
	depth []byte // the open brackets
	lines []line
	now   line
	fresh bool // no token of the physical line was seen
}

func scan(src []byte) ([]line, error) {
	src = withoutMark(src)
	if !utf8.Valid(src) || bytes.Count(src, []byte("\r")) != bytes.Count(src, []byte("\r\n")) { // for Python, \r alone ends a line too
		return nil, ErrText
	}
	s := scanner{src: src, at: Position{Line: 1, Column: 1}, fresh: true}
	for s.at.Byte < len(s.src) {
		if !s.next() {
			return nil, ErrText
		}
	}
	if len(s.depth) > 0 {
		return nil, ErrText
	}
	s.end()
	return s.lines, nil
}

// withoutMark removes the byte order mark.
func withoutMark(src []byte) []byte { return bytes.TrimPrefix(src, []byte("\ufeff")) }

// next reads white space, a comment or a token.
func (s *scanner) next() bool {
	c := s.src[s.at.Byte]
	switch {
	case c == '\n':
		s.advance(1)
		if len(s.depth) == 0 {
			s.end()
		}
		return true
	case c == ' ' || c == '\t' || c == '\f' || c == '\r':
		if s.fresh && len(s.now.tokens) == 0 && len(s.depth) == 0 {
			s.indent(c)
		}
		s.advance(1)
		return true
	case c == '#':
		end := bytes.IndexByte(s.src[s.at.Byte:], '\n')
		if end < 0 {
			end = len(s.src) - s.at.Byte
		}
		s.advance(end)
		return true
	case c == '\\' && s.continues():
		return true
	}
	s.fresh = false
	return s.token(c)
}

func (s *scanner) indent(c byte) {
	switch c {
	case '\t':
		s.now.indent = (s.now.indent/8 + 1) * 8
	case ' ':
		s.now.indent++
	case '\f':
		s.now.indent = 0
	}
}

// continues skips a backslash at the end of a physical line.
func (s *scanner) continues() bool {
	rest := s.src[s.at.Byte:]
	for _, end := range []string{"\\\n", "\\\r\n"} {
		if bytes.HasPrefix(rest, []byte(end)) {
			s.advance(len(end))
			return true
		}
	}
	return false
}

// end ends a logical line.
func (s *scanner) end() {
	if len(s.now.tokens) > 0 {
		s.lines = append(s.lines, s.now)
	}
	s.now, s.fresh = line{}, true
}

func (s *scanner) token(c byte) bool {
	start := s.at
	switch {
	case c == '"' || c == '\'':
		return s.string(start, "")
	case strings.IndexByte("([{", c) >= 0:
		s.add(start, 1)
		s.depth = append(s.depth, c)
		return true
	case strings.IndexByte(")]}", c) >= 0:
		if len(s.depth) == 0 || strings.IndexByte("([{", s.depth[len(s.depth)-1]) != strings.IndexByte(")]}", c) {
			return false
		}
		s.depth = s.depth[:len(s.depth)-1]
		s.add(start, 1)
		return true
	}
	if n := s.word(); n > 0 {
		rest := s.src[start.Byte+n:]
		if text := string(s.src[start.Byte : start.Byte+n]); len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') && isPrefix(text) {
			s.advance(n)
			return s.string(start, strings.ToLower(text))
		}
		s.add(start, n)
		return true
	}
	for _, sign := range []string{"->", ":=", "**", "==", "!=", "<=", ">=", "//", "..."} {
		if bytes.HasPrefix(s.src[start.Byte:], []byte(sign)) {
			s.add(start, len(sign))
			return true
		}
	}
	_, size := utf8.DecodeRune(s.src[start.Byte:])
	s.add(start, size)
	return true
}

// word returns the length of the name or number at the position.
func (s *scanner) word() int {
	n := 0
	for rest := s.src[s.at.Byte:]; n < len(rest); {
		r, size := utf8.DecodeRune(rest[n:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) {
			break
		}
		n += size
	}
	return n
}

func isPrefix(text string) bool {
	switch strings.ToLower(text) {
	case "r", "b", "u", "f", "t", "br", "rb", "fr", "rf", "tr", "rt":
		return true
	}
	return false
}

// add adds a token of n bytes.
func (s *scanner) add(start Position, n int) {
	s.advance(n)
	s.now.tokens = append(s.now.tokens, token{text: string(s.src[start.Byte:s.at.Byte]), start: start, end: s.at, depth: len(s.depth)})
}

// advance moves the position over n bytes.
func (s *scanner) advance(n int) {
	for _, c := range s.src[s.at.Byte : s.at.Byte+n] {
		if c == '\n' {
			s.at.Line++
			s.at.Column = 1
		} else {
			s.at.Column++
		}
	}
	s.at.Byte += n
}
