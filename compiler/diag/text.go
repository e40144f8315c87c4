package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Printable returns s with an escape for every byte that is not UTF-8 and every character that is not visible: a control
// character could drive a terminal, and one that changes the direction of text could make it read as other text.
func Printable(s string) string {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !shown(r, n) {
			out, _ := escape([]byte(s), 0, 0)
			return out
		}
		i += n
	}
	return s
}

// printableLines is Printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// shown reports whether a character, decoded from n bytes, can be printed unchanged. A tab can, because its width is known.
// The two joiners are part of words and emoji.
func shown(r rune, n int) bool {
	if r == utf8.RuneError && n <= 1 {
		return false
	}
	return r == '\t' || r == '\u200c' || r == '\u200d' || unicode.IsGraphic(r)
}

func escapeRune(r rune, n int, first byte) string {
	if n <= 1 {
		return fmt.Sprintf(`\x%02x`, first)
	}
	return fmt.Sprintf(`\u{%x}`, r)
}

// tab is printed for a tab. It has a fixed width, so that the text below can be aligned.
const tab = "    "

// cell is a character as a reader sees it: a letter with its accents, or an emoji of several code points.
type cell struct {
	text  string
	width int // columns of a terminal
	runes int
}

// cells splits a line into cells.
func cells(s string) []cell {
	out := make([]cell, 0, len(s))
	for state := -1; s != ""; {
		var c cell
		c.text, s, c.width, state = uniseg.FirstGraphemeClusterInString(s, state)
		c.runes = utf8.RuneCountInString(c.text)
		switch c.text {
		case "\t":
			c.text, c.width = tab, len(tab)
		}
		out = append(out, c)
	}
	return out
}

func width(s string) int { return uniseg.StringWidth(s) }

// wrap breaks a text into lines of at most the given width, at spaces. A line that starts with a space is not changed, and
// a word longer than the width gets a line of its own.
func wrap(s string, limit int) []string {
	var out []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(paragraph, " ") || strings.HasPrefix(paragraph, "\t") || width(paragraph) <= limit {
			out = append(out, strings.ReplaceAll(strings.TrimRight(paragraph, " \t"), "\t", tab))
			continue
		}
		line, used := "", 0
		for word := range strings.FieldsSeq(paragraph) {
			w := width(word)
			if used > 0 && used+1+w > limit {
				out = append(out, line)
				line, used = "", 0
			}
			if used > 0 {
				line += " "
				used++
			}
			line += word
			used += w
		}
		out = append(out, line)
	}
	return out
}
