// Package shell quotes text for a shell, so that users can copy the commands that pipec suggests.
package shell

import (
	"strings"
	"unicode"
)

// Word returns text as one word of a shell command, quoted unless it is plain.
func Word(s string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("/._-+=:,@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
