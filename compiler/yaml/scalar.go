package yaml

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	lib "go.yaml.in/yaml/v4"
)

// scalar is the position of a scalar, and of each part of its text. The library returns a scalar's text and its start. How
// the text is derived from the source is found by reading both side by side.
type scalar struct {
	text       string
	start, end int // with its quotes, or the | or > of a block
	segments   []segment
}

// segment is a part of the text, up to the next one, with its part of the source: byte for byte if linear, and otherwise as
// a whole, such as an escape or a line break that became a space.
type segment struct {
	text, start, end int
	linear           bool
}

// from returns the position in the source of a byte of the text.
func (s *scalar) from(offset int) int {
	i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].text > offset }) - 1
	switch {
	case i < 0:
		return s.start
	case s.segments[i].linear:
		return min(s.segments[i].start+offset-s.segments[i].text, s.segments[i].end)
	case offset >= len(s.text):
		return s.segments[i].end
	}
	return s.segments[i].start
}

// to returns where a part of the text that ends before an offset ends in the source.
func (s *scalar) to(offset int) int {
	if offset == 0 {
		return s.from(0)
	}
	i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].text > offset-1 }) - 1
	switch {
	case i < 0:
		return s.start
	case s.segments[i].linear:
		return min(s.segments[i].start+offset-s.segments[i].text, s.segments[i].end)
	}
	return s.segments[i].end
}

// whole reports whether the text is byte for byte in the source, and where it starts.
func (s *scalar) whole() (start int, ok bool) {
	if len(s.segments) == 1 && s.segments[0].linear {
		return s.segments[0].start, true
	}
	return 0, false
}

// inner returns the range of a name, without its quotes if the text between them is unescaped.
func (s *scalar) inner() span {
	if start, ok := s.whole(); ok {
		return span{start, s.segments[0].end}
	}
	return span{s.start, s.end}
}

// find reads a scalar in the source, from the library's start.
func (p *places) find(n *lib.Node) *scalar {
	start := p.offset(n.Line, n.Column)
	if n.Value == "" && form(n) == Plain { // there is nothing, or only an anchor or a tag
		end := start
		for end < len(p.src) && (p.src[start] == '&' || p.src[start] == '!') && !blank(p.src[end]) && breakAt(p.src, end) == 0 {
			end++
		}
		return &scalar{start: start, end: end, segments: []segment{{0, start, end, false}}}
	}
	start = p.properties(start)
	m := matcher{src: p.src, i: start, text: n.Value}
	ok := false
	switch {
	case n.Style&lib.DoubleQuotedStyle != 0:
		ok = m.quoted('"')
	case n.Style&lib.SingleQuotedStyle != 0:
		ok = m.quoted('\'')
	case n.Style&(lib.LiteralStyle|lib.FoldedStyle) != 0:
		ok = m.block(n.Style&lib.FoldedStyle != 0)
	default:
		ok = m.plain()
	}
	s := &scalar{text: n.Value, start: start, end: m.i, segments: m.segments}
	if !ok || m.t != len(n.Value) {
		// Not understood: every part gets the range of the whole, up to the end of its line.
		s.end = start
		for s.end < len(p.src) && breakAt(p.src, s.end) == 0 {
			s.end++
		}
		s.segments = []segment{{0, start, s.end, false}}
	}
	return s
}

// properties skips the anchor and the tag before a node.
func (p *places) properties(i int) int {
	for i < len(p.src) && (p.src[i] == '&' || p.src[i] == '!') {
		for i < len(p.src) && !blank(p.src[i]) && breakAt(p.src, i) == 0 {
			i++
		}
		next := p.blanks(i)
		if next >= len(p.src) {
			return i
		}
		i = next
	}
	return i
}

// blanks skips spaces, line breaks and comments.
func (p *places) blanks(i int) int {
	for i < len(p.src) {
		switch n := breakAt(p.src, i); {
		case n > 0:
			i += n
		case blank(p.src[i]):
			i++
		case p.src[i] == '#':
			for i < len(p.src) && breakAt(p.src, i) == 0 {
				i++
			}
		default:
			return i
		}
	}
	return i
}

// endOfBlanks skips blanks on one line.
func (p *places) endOfBlanks(i int) int {
	for i < len(p.src) && blank(p.src[i]) {
		i++
	}
	return i
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// matcher reads a scalar's text and its source side by side.
type matcher struct {
	src      []byte
	i        int // in src
	text     string
	t        int // in text
	segments []segment
}

// same reads n bytes that are the same in both.
func (m *matcher) same(n int) {
	if last := len(m.segments) - 1; last >= 0 && m.segments[last].linear && m.segments[last].end == m.i {
		m.segments[last].end += n
	} else {
		m.segments = append(m.segments, segment{m.t, m.i, m.i + n, true})
	}
	m.i += n
	m.t += n
}

// became reads n bytes of the source that produce the next bytes of the text.
func (m *matcher) became(n int, text string) bool {
	if !strings.HasPrefix(m.text[m.t:], text) {
		return false
	}
	if text != "" {
		m.segments = append(m.segments, segment{m.t, m.i, m.i + n, false})
	}
	m.i += n
	m.t += len(text)
	return true
}

// fold returns the length of the blanks and line breaks at the position, and what a flow scalar converts them to; 0 if no
// line ends here.
func (m *matcher) fold() (n int, text string) {
	i, breaks, kept := m.i, 0, ""
	for i < len(m.src) {
		if b := breakAt(m.src, i); b > 0 {
			if m.src[i] == 0xe2 { // LS and PS are not converted
				kept += string(m.src[i : i+b])
			} else if breaks > 0 {
				kept += "\n"
			}
			breaks++
			i += b
		} else if blank(m.src[i]) {
			i++
		} else {
			break
		}
	}
	switch {
	case breaks == 0:
		return 0, ""
	case kept == "":
		return i - m.i, " "
	}
	return i - m.i, kept
}

func (m *matcher) plain() bool {
	for m.t < len(m.text) {
		if m.i >= len(m.src) {
			return false
		}
		if n, text := m.fold(); n > 0 {
			if !m.became(n, text) {
				return false
			}
		} else if m.src[m.i] == m.text[m.t] {
			m.same(1)
		} else {
			return false
		}
	}
	return true
}

func (m *matcher) quoted(quote byte) bool {
	if m.i >= len(m.src) || m.src[m.i] != quote {
		return false
	}
	m.i++
	for m.i < len(m.src) {
		c := m.src[m.i]
		if n, text := m.fold(); n > 0 {
			if !m.became(n, text) {
				return false
			}
			continue
		}
		switch {
		case c == quote && quote == '\'' && m.i+1 < len(m.src) && m.src[m.i+1] == '\'':
			if !m.became(2, "'") {
				return false
			}
		case c == quote:
			if len(m.segments) == 0 {
				m.segments = []segment{{0, m.i, m.i, true}}
			}
			m.i++
			return true
		case c == '\\' && quote == '"':
			n, text, ok := escape(m.src[m.i:])
			if !ok || !m.became(n, text) {
				return false
			}
		case m.t < len(m.text) && m.text[m.t] == c:
			m.same(1)
		default:
			return false
		}
	}
	return false
}

// escapes are those of one character.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r", 'e': "\x1b",
	' ': " ", '"': `"`, '/': "/", '\\': `\`, 'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029", '\'': "'",
}

// escape reads what starts with a backslash, and returns its length and the text that it means.
func escape(src []byte) (n int, text string, ok bool) {
	if len(src) < 2 {
		return 0, "", false
	}
	if b := breakAt(src, 1); b > 0 { // the line continues
		n = 1 + b
		for n < len(src) && blank(src[n]) {
			n++
		}
		return n, "", true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[src[1]]
	if digits == 0 {
		text, ok = escapes[src[1]]
		return 2, text, ok
	}
	if len(src) < 2+digits {
		return 0, "", false
	}
	r := rune(0)
	for _, c := range src[2 : 2+digits] {
		at := strings.IndexByte("0123456789abcdef", c|0x20)
		if c >= '0' && c <= '9' {
			at = int(c - '0')
		}
		if at < 0 {
			return 0, "", false
		}
		r = r<<4 | rune(at)
	}
	n = 2 + digits
	if utf16.IsSurrogate(r) && bytes.HasPrefix(src[n:], []byte(`\u`)) && len(src) >= n+6 { // a pair, as in JSON
		return n + 6, string(utf16.DecodeRune(r, unit(string(src[n+2:n+6])))), true
	}
	return n, string(r), utf8.ValidRune(r)
}

// block reads a literal or a folded block.
func (m *matcher) block(folded bool) bool {
	header := bytes.IndexByte(m.src[m.i:], '\n')
	if header < 0 {
		m.i = len(m.src)
		return true
	}
	start := m.i + header + 1
	first := start // of the first line that is not blank
	indent := 0
	for i := start; i < len(m.src); i++ {
		if m.src[i] == '\n' {
			first, indent = i+1, 0
		} else if m.src[i] == ' ' {
			indent++
		} else {
			break
		}
	}
	// The indent is that of the first line, or less if a digit in the header sets it; the text shows which.
	if first+indent >= len(m.src) {
		indent = longest(m.src[start:])
	}
	for try := indent; try >= 0 && try > indent-64; try-- {
		m.i, m.t, m.segments = start, 0, nil
		if m.lines(try, folded) {
			return true
		}
	}
	return false
}

// longest returns the longest line of blanks.
func longest(src []byte) int {
	n := 0
	for line := range bytes.SplitSeq(src, []byte("\n")) {
		n = max(n, len(line))
	}
	return n
}

// lines reads the lines of a block with their indent.
func (m *matcher) lines(indent int, folded bool) bool {
	for m.t < len(m.text) && m.i < len(m.src) {
		skip := 0
		for skip < indent && m.i+skip < len(m.src) && m.src[m.i+skip] == ' ' {
			skip++
		}
		end := m.i + skip
		for end < len(m.src) && m.src[end] != '\n' {
			end++
		}
		m.i += skip
		if n := end - m.i; n > 0 {
			if skip < indent || !strings.HasPrefix(m.text[m.t:], string(m.src[m.i:end])) {
				return false
			}
			m.same(n)
		}
		if m.t == len(m.text) {
			return true
		}
		if m.i >= len(m.src) {
			// The library adds a newline to the last line of a file that has none.
			return m.text[m.t:] == "\n" && m.became(0, "\n")
		}
		switch {
		case m.text[m.t] == '\n':
			m.same(1)
		case folded && m.text[m.t] == ' ':
			m.became(1, " ")
		case folded:
			m.i++ // a line break of several, of which folding removes one
		default:
			return false
		}
	}
	return m.t == len(m.text)
}
