package diag

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// Limits of a snippet: a file may be one line of megabytes, and a range the whole file.
const (
	maxLineBytes  = 600 // of a line that is shown
	maxLineBefore = 200 // of those, before what is highlighted
	maxHeadLines  = 3   // of a range of many lines, from its start
)

// snippet returns the lines of a range, with the given number of lines before and after if they are not blank.
func (s *source) snippet(r hcl.Range, context int) []LineView {
	start, end := s.span(r)
	first, last := s.line(start), s.line(end)
	var out []LineView
	for line := max(0, first-context); line < first; line++ {
		out = s.contextLine(out, line)
	}
	for line := first; line <= last; line++ {
		if line == first+maxHeadLines && line < last-1 {
			line = last
		}
		from, to := s.bounds(line)
		out = append(out, s.view(line, max(from, start), min(max(from, end), to), true))
	}
	for line := last + 1; line <= last+context && line < len(s.lines); line++ {
		out = s.contextLine(out, line)
	}
	return out
}

func (s *source) contextLine(out []LineView, line int) []LineView {
	from, to := s.bounds(line)
	if to-from > maxLineBytes || len(bytes.TrimSpace(s.text[from:to])) == 0 {
		return out
	}
	return append(out, s.view(line, from, from, false))
}

// view returns a line; from and to are the offsets that are highlighted, if any are.
func (s *source) view(line, from, to int, highlight bool) LineView {
	start, end := s.bounds(line)
	from = min(from, end)
	to = max(from, min(to, end))
	v := LineView{Line: line + 1}
	if start == 0 && bytes.HasPrefix(s.text, []byte("\xef\xbb\xbf")) {
		start = 3 // a byte order mark is not part of the text
	}
	if end-start > maxLineBytes {
		if from-maxLineBefore > start {
			v.CutStart = true
			start = from - maxLineBefore
			for start < from && !utf8.RuneStart(s.text[start]) {
				start++
			}
		}
		if start+maxLineBytes < end {
			v.CutEnd = true
			end = start + maxLineBytes
			for end > start && end > from && !utf8.RuneStart(s.text[end]) {
				end--
			}
		}
	}
	var span SpanView
	v.Text, span = escape(s.text[start:end], from-start, to-start)
	if highlight {
		v.Highlight = &span
	}
	return v
}

// escape makes a line safe to print, and returns where the bytes from and to are in it, in code points.
func escape(text []byte, from, to int) (string, SpanView) {
	var b strings.Builder
	b.Grow(len(text))
	count := 0
	span := SpanView{Start: -1, End: -1}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if span.Start < 0 && from < i+n {
			span.Start = count
		}
		if span.End < 0 && to <= i {
			span.End = count
		}
		if shown(r, n) {
			b.Write(text[i : i+n])
			count++
		} else {
			esc := escapeRune(r, n, text[i])
			b.WriteString(esc)
			count += len(esc)
		}
		i += n
	}
	if span.Start < 0 {
		span.Start = count
	}
	if span.End < 0 {
		span.End = count
	}
	span.End = max(span.Start, span.End)
	return b.String(), span
}
