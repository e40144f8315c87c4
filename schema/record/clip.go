package record

import (
	"strings"
	"unicode/utf8"
)

// Clip cuts a text between characters to at most so many bytes, and ends a text that was cut in "…". It replaces bytes that are
// not UTF-8.
func Clip(s string, bytes int) string {
	const more = "…"
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= bytes {
		return s
	}
	s = s[:max(bytes-len(more), 0)]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + more
}
