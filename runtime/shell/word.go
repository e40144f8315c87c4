// Package shell writes what a person's shell reads: commands that are proposed can be copied.
package shell

import (
	"strings"
	"unicode"
)

// Word is text as one word of a shell's command: in quotes, unless all of it is certainly plain.
func Word(s string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+=:,@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
