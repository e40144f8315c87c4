package mask

import (
	"html"
	"strings"
)

// forms calls add with the texts in which a secret may appear. The same text may come several times, and short ones
// too.
func forms(secret string, add func(text string)) {
	trimmed := strings.TrimSpace(secret)
	if len(trimmed) < Min {
		return
	}
	base64Forms(secret, true, add)
	base64Forms(trimmed+"\n", true, add) // as `echo "$SECRET" | base64` prints it
	for _, text := range wholes(trimmed) {
		textForms(text, add)
		base64Forms(text, true, add)
	}
	if !strings.ContainsFunc(trimmed, endsLine) {
		return
	}
	for _, line := range strings.FieldsFunc(trimmed, endsLine) {
		if line = strings.TrimSpace(line); len(line) >= MinLine {
			textForms(line, add)
			base64Forms(line, false, add)
		}
	}
}

// endsLine reports whether a program may end a line at a character: splitlines of Python ends it at all of these.
func endsLine(r rune) bool {
	switch r {
	case '\n', '\v', '\f', '\r', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// wholes returns a secret with the ends of lines of Unix and of Windows, and as a shell prints it without quotes.
func wholes(trimmed string) []string {
	out := []string{trimmed}
	if strings.Contains(trimmed, "\n") {
		unix := strings.ReplaceAll(trimmed, "\r\n", "\n")
		out = append(out, unix, strings.ReplaceAll(unix, "\n", "\r\n"))
	}
	if joined := strings.Join(strings.Fields(trimmed), " "); joined != trimmed {
		out = append(out, joined)
	}
	return out
}

// textForms adds a text as it is, and escaped for other texts.
func textForms(text string, add func(string)) {
	add(text)
	simple := true
	for i := 0; i < len(text) && simple; i++ {
		simple = isAlphanumeric(text[i])
	}
	if simple {
		return // no form differs
	}
	escaped := func(form string) {
		if form != text {
			add(form)
		}
	}
	for i := range escapes {
		once := escapes[i].apply(text)
		escaped(once)
		if escapes[i].nests {
			escaped(escapes[i].apply(once))
		}
	}
	for i := range percents {
		escaped(percents[i].apply(text, false))
		escaped(percents[i].apply(text, true))
	}
	escaped(html.EscapeString(text))
	escaped(pythonHTML.Replace(text))
	escaped(strings.ReplaceAll(text, `'`, `'\''`))
	escaped(strings.ReplaceAll(text, `'`, `'"'"'`))
}

// pythonHTML escapes as html.escape of Python does.
var pythonHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;")

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
