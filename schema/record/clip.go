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
	return Cut(s, bytes-len(more)) + more
}

// Shorten cuts a text to at most so many characters, and ends a text that was cut in "…". It is for what people read. Bytes
// that are not UTF-8 are characters of their own.
func Shorten(s string, characters int) string {
	const more = "…"
	if len(s) <= characters {
		return s
	}
	last, n := 0, 0 // where the last of the characters starts, and how many there are
	for i := range s {
		if n++; n == characters {
			last = i
		}
		if n > characters {
			return s[:last] + more
		}
	}
	return s
}

// Cut returns the start of a text: at most so many bytes, without a part of a character at its end.
func Cut[T string | []byte](s T, bytes int) T {
	if len(s) <= bytes {
		return s
	}
	s = s[:max(bytes, 0)]
	return s[:Between(s)]
}

// Between returns the last position in a text that is not in the middle of a character. Bytes that are not UTF-8 are
// characters of their own.
func Between[T string | []byte](s T) int {
	for i := len(s) - 1; i >= 0 && i > len(s)-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			if !utf8.FullRuneInString(string(s[i:])) {
				return i
			}
			break
		}
	}
	return len(s)
}
