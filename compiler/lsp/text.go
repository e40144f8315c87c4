package lsp

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// encoding is the unit in which positions count characters.
type encoding string

// The encodings. Every client supports the first; the others are used if the client prefers them.
const (
	utf16 encoding = "utf-16"
	utf8s encoding = "utf-8"
	utf32 encoding = "utf-32"
)

// negotiate returns the first known encoding of the client's list.
func negotiate(offered []string) encoding {
	for _, name := range offered {
		if e := encoding(name); e == utf16 || e == utf8s || e == utf32 {
			return e
		}
	}
	return utf16
}

// units returns the length of a rune of size bytes in the encoding's units.
func (e encoding) units(r rune, size int) int {
	switch {
	case e == utf8s:
		return size
	case e == utf16 && r > 0xffff:
		return 2
	}
	return 1
}

// text is a source with the offsets of its lines, to convert offsets to positions and back. A line ends with \n, \r\n or
// \r, as the protocol defines.
type text struct {
	src   []byte
	lines []int
	wide  []wide // characters beyond ASCII, by position
	enc   encoding
}

// wide is a character of several bytes.
type wide struct {
	start, end int
	saved      int // how many more bytes than units there are in the text up to its end
}

func newText(src []byte, enc encoding) *text { return readText(src, enc, 0) }

// diskText returns the text of a file that is not open. A byte order mark at its start is not part of it, because editors
// remove it.
func diskText(src []byte, enc encoding) *text {
	if bytes.HasPrefix(src, []byte(byteOrder)) {
		return readText(src, enc, len(byteOrder))
	}
	return readText(src, enc, 0)
}

const byteOrder = "\xef\xbb\xbf"

// readText finds the lines of a text. The first skip bytes don't count.
func readText(src []byte, enc encoding, skip int) *text {
	t := &text{src: src, lines: []int{0}, enc: enc}
	saved := skip
	if skip > 0 {
		t.wide = []wide{{0, skip, skip}}
	}
	for i := skip; i < len(src); {
		c := src[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(src[i:])
			saved += size - enc.units(r, size)
			t.wide = append(t.wide, wide{i, i + size, saved})
			i += size
			continue
		}
		i++
		if c == '\n' || c == '\r' && (i == len(src) || src[i] != '\n') {
			t.lines = append(t.lines, i)
		}
	}
	return t
}

// position returns the position of an offset.
func (t *text) position(offset int) position {
	offset = min(max(offset, 0), len(t.src))
	line, found := slices.BinarySearch(t.lines, offset)
	if !found {
		line--
	}
	return position{line, t.units(offset) - t.units(t.lines[line])}
}

// units returns how many units the text has up to an offset. An offset inside of a character counts as before it.
func (t *text) units(offset int) int {
	n, _ := slices.BinarySearchFunc(t.wide, offset, func(w wide, offset int) int { return w.start - offset })
	if n > 0 && t.wide[n-1].end > offset {
		n--
		offset = t.wide[n].start
	}
	if n == 0 {
		return offset
	}
	return offset - t.wide[n-1].saved
}

// offset returns the offset of a position. A position after a line's end is at its end, and one inside of a character is
// before it.
func (t *text) offset(p position) int {
	switch {
	case p.Line < 0:
		return 0
	case p.Line >= len(t.lines):
		return len(t.src)
	}
	at := t.lines[p.Line]
	if p.Line == 0 && len(t.wide) > 0 && t.wide[0].start == 0 && t.wide[0].saved == t.wide[0].end {
		at = t.wide[0].end // bytes that don't count
	}
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

// replaced returns the source with the text in a range replaced.
func (t *text) replaced(r span, by string) []byte {
	start := t.offset(r.Start)
	end := max(start, t.offset(r.End))
	return slices.Concat(t.src[:start], []byte(by), t.src[end:])
}
