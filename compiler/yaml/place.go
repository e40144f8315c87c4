package yaml

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/rivo/uniseg"
)

// places converts the library's positions, a line and a column, to offsets, and offsets to positions of diagnostics. Both
// count in their own way. For the library a lone CR and some other characters end a line too, and a column is a code point;
// for HCL a column is a character as a reader sees it.
type places struct {
	name string
	src  []byte
	// breaks are the offsets of lines as the library counts them, lines as HCL does.
	breaks, lines []int
	// marks store, for long lines that are not ASCII, the positions of some characters. Without them a file that is one
	// line would be read from its start for each position.
	runes, columns map[int][]mark
}

type mark struct{ offset, count int }

const (
	markEvery = 512
	byteOrder = "\xef\xbb\xbf"
)

func newPlaces(name string, src []byte) *places {
	p := &places{name: name, src: src, runes: map[int][]mark{}, columns: map[int][]mark{}}
	start := 0
	if bytes.HasPrefix(src, []byte(byteOrder)) {
		start = len(byteOrder)
	}
	p.breaks, p.lines = []int{start}, []int{start}
	for i := start; i < len(src); i++ {
		n := breakAt(src, i)
		if n == 0 {
			continue
		}
		i += n - 1
		p.breaks = append(p.breaks, i+1)
		if src[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	return p
}

// breakAt returns the length of the line break at an offset, or 0.
func breakAt(src []byte, i int) int {
	switch src[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(src) && src[i+1] == '\n' {
			return 2
		}
		return 1
	case 0xc2: // NEL
		if i+1 < len(src) && src[i+1] == 0x85 {
			return 2
		}
	case 0xe2: // LS, PS
		if i+2 < len(src) && src[i+1] == 0x80 && (src[i+2] == 0xa8 || src[i+2] == 0xa9) {
			return 3
		}
	}
	return 0
}

// offset returns the offset of the library's line and column, which both start at 1.
func (p *places) offset(line, column int) int {
	if line < 1 {
		return p.breaks[0]
	}
	if line > len(p.breaks) {
		return len(p.src)
	}
	start, end := p.breaks[line-1], len(p.src)
	if line < len(p.breaks) {
		end = p.breaks[line]
	}
	at, count := p.near(p.runes, start, end, func(m mark) bool { return m.count > column-1 }, func(b []byte) int {
		_, n := utf8.DecodeRune(b)
		return n
	})
	for ; count < column-1 && at < end; count++ {
		_, n := utf8.DecodeRune(p.src[at:end])
		at += n
	}
	return at
}

// near returns a position in a line that is not far before the one in question, and how many characters precede it.
func (p *places) near(known map[int][]mark, start, end int, beyond func(mark) bool, next func([]byte) int) (at, count int) {
	if end-start <= 2*markEvery {
		return start, 0
	}
	marks, ok := known[start]
	if !ok {
		for i, n := start, 0; i < end; n++ {
			if n%markEvery == 0 {
				marks = append(marks, mark{i, n})
			}
			i += max(1, next(p.src[i:end]))
		}
		known[start] = marks
	}
	i := sort.Search(len(marks), func(i int) bool { return beyond(marks[i]) })
	if i == 0 {
		return start, 0
	}
	return marks[i-1].offset, marks[i-1].count
}

// pos returns a position for diagnostics.
func (p *places) pos(offset int) hcl.Pos {
	offset = min(max(offset, p.lines[0]), len(p.src))
	line := sort.Search(len(p.lines), func(i int) bool { return p.lines[i] > offset }) - 1
	start, end := p.lines[line], len(p.src)
	if line+1 < len(p.lines) {
		end = p.lines[line+1]
	}
	at, count := p.near(p.columns, start, end, func(m mark) bool { return m.offset > offset }, cluster)
	for at < offset {
		if p.src[at] < utf8.RuneSelf && (at+1 >= len(p.src) || p.src[at+1] < utf8.RuneSelf) {
			at++
		} else {
			at += max(1, cluster(p.src[at:end]))
		}
		count++
	}
	return hcl.Pos{Line: line + 1, Column: count + 1, Byte: offset}
}

func cluster(b []byte) int {
	if b[0] < utf8.RuneSelf && (len(b) < 2 || b[1] < utf8.RuneSelf) {
		return 1
	}
	c, _, _, _ := uniseg.FirstGraphemeCluster(b, -1)
	return len(c)
}

// at returns a range of the file.
func (p *places) at(start, end int) hcl.Range {
	for end < len(p.src) && !utf8.RuneStart(p.src[end]) { // a range can't end inside of a character
		end++
	}
	from := p.pos(start)
	to := from
	if end > start {
		if end-start < 256 && isPlainText(p.src[start:min(end, len(p.src))]) { // the most common case has a fast path
			to = hcl.Pos{Line: from.Line, Column: from.Column + end - start, Byte: end}
		} else {
			to = p.pos(end)
		}
	}
	return hcl.Range{Filename: p.name, Start: from, End: to}
}

func isPlainText(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || c < ' ' {
			return false
		}
	}
	return true
}
