package diag

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/rivo/uniseg"
)

// source is the content of a file with an index of its lines, so that a position is found without reading the file again.
type source struct {
	text  []byte
	lines []int // offset of the first byte of each line
}

func newSource(text []byte) *source {
	s := &source{text: text, lines: []int{0}}
	for at := 0; ; {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			return s
		}
		at += n + 1
		s.lines = append(s.lines, at)
	}
}

// line returns the index of the line that contains the byte at offset.
func (s *source) line(offset int) int {
	i, found := slices.BinarySearch(s.lines, offset)
	if found {
		return i
	}
	return i - 1
}

// bounds returns the offsets of a line's text, without its line ending.
func (s *source) bounds(line int) (start, end int) {
	start, end = s.lines[line], len(s.text)
	if line+1 < len(s.lines) {
		end = s.lines[line+1] - 1
		if end > start && s.text[end-1] == '\r' {
			end--
		}
	}
	return start, end
}

// offset returns the offset of a position. Its byte is used if it agrees with its line and column. Otherwise the line and
// column are used, as in a range that was made by hand. A position outside of the file is moved to the nearest end.
func (s *source) offset(p hcl.Pos) int {
	if p.Line <= 0 {
		return min(max(p.Byte, 0), len(s.text))
	}
	if p.Byte >= 0 && p.Byte <= len(s.text) {
		// A column is at least one byte, so there can't be fewer bytes than columns before it.
		if line := s.line(p.Byte); line == p.Line-1 && p.Byte-s.lines[line] >= p.Column-1 {
			return p.Byte
		}
	}
	if p.Line > len(s.lines) {
		return len(s.text)
	}
	at, end := s.bounds(p.Line - 1)
	rest := s.text[at:end]
	for col, state := 1, -1; col < p.Column && len(rest) > 0; col++ {
		var c []byte
		c, rest, _, state = uniseg.FirstGraphemeCluster(rest, state)
		at += len(c)
	}
	return at
}

// span returns the offsets of a range. The newline at its end, which tokens of HCL include, is excluded.
func (s *source) span(r hcl.Range) (start, end int) {
	start = s.offset(r.Start)
	end = max(start, s.offset(r.End))
	for end > start && (s.text[end-1] == '\n' || s.text[end-1] == '\r') {
		end--
	}
	return start, end
}
