package lsp

import (
	"slices"
	"unicode/utf8"
)

// encoding is what the characters of a position count.
type encoding string

// The encodings. Every client knows the first; another is spoken where the client names it before.
const (
	utf16 encoding = "utf-16"
	utf8s encoding = "utf-8"
	utf32 encoding = "utf-32"
)

// negotiate takes the first encoding of the client's list that is known.
func negotiate(offered []string) encoding {
	for _, name := range offered {
		if e := encoding(name); e == utf16 || e == utf8s || e == utf32 {
			return e
		}
	}
	return utf16
}

// units is how many characters of a position a rune is, of so many bytes.
func (e encoding) units(r rune, size int) int {
	switch {
	case e == utf8s:
		return size
	case e == utf16 && r > 0xffff:
		return 2
	}
	return 1
}

// text is a source with the offsets of its lines, so that offsets and positions turn into each other. A line ends with
// \n, \r\n or \r alone, as the protocol has it.
type text struct {
	src   []byte
	lines []int
	enc   encoding
}

func newText(src []byte, enc encoding) *text {
	t := &text{src: src, lines: []int{0}, enc: enc}
	for i, c := range src {
		if c == '\n' || c == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// position is where an offset is.
func (t *text) position(offset int) position {
	offset = min(max(offset, 0), len(t.src))
	line, found := slices.BinarySearch(t.lines, offset)
	if !found {
		line--
	}
	p := position{Line: line}
	for at := t.lines[line]; at < offset; {
		r, size := utf8.DecodeRune(t.src[at:])
		if at += size; at <= offset {
			p.Character += t.enc.units(r, size)
		}
	}
	return p
}

// offset is the byte at a position. One behind a line's end is at its end, and one inside of a character before it.
func (t *text) offset(p position) int {
	switch {
	case p.Line < 0:
		return 0
	case p.Line >= len(t.lines):
		return len(t.src)
	}
	at := t.lines[p.Line]
	for n := 0; at < len(t.src) && t.src[at] != '\n' && t.src[at] != '\r'; {
		r, size := utf8.DecodeRune(t.src[at:])
		if n += t.enc.units(r, size); n > p.Character {
			break
		}
		at += size
	}
	return at
}

func (t *text) span(start, end int) span {
	return span{t.position(start), t.position(max(start, end))}
}

// replaced is the source with the text in a range replaced.
func (t *text) replaced(r span, by string) []byte {
	start := t.offset(r.Start)
	end := max(start, t.offset(r.End))
	return slices.Concat(t.src[:start], []byte(by), t.src[end:])
}
