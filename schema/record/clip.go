package record

import (
	"strings"
	"unicode/utf8"
)

// Clip cuts a text to at most some bytes, at least those of the sign that says so, between characters. What is not UTF-8
// in it is replaced.
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
