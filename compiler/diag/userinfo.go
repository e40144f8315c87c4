package diag

import (
	"bytes"
	"slices"
)

// maskUserinfo returns the text with the user names and passwords of addresses replaced, as in https://***:***@host. Each replaced
// byte becomes one byte, so that lines and offsets don't change. The given text is not modified.
//
// An address that a parser would reject may contain a password too. So the text before an @ is masked in doubt.
func maskUserinfo(text []byte) []byte {
	out, cloned := text, false
	for at := 0; ; {
		n := bytes.Index(text[at:], []byte("//"))
		if n < 0 {
			return out
		}
		start := at + n + len("//")
		scheme := start > len("//") && text[start-len("///")] == ':'
		end := start + userinfo(text[start:], scheme)
		for i := start; i < end; i++ {
			if !cloned {
				out, cloned = slices.Clone(text), true
			}
			if out[i] != ':' {
				out[i] = '*'
			}
		}
		at = max(start, end)
	}
}

// userinfo returns how many bytes at the start of the rest of an address are its user name and password. Without a scheme before
// it, the rest may as well be a comment, whose words contain no password.
func userinfo(rest []byte, scheme bool) int {
	rest = rest[:addressEnd(rest, scheme)]
	authority := rest
	if i := bytes.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if i := bytes.LastIndexByte(authority, '@'); i >= 0 {
		return i
	}
	// A password may contain one of these characters, although it should be escaped. A number is the port of a host.
	if i := bytes.IndexByte(authority, ':'); i >= 0 && len(bytes.Trim(authority[i+1:], "0123456789 \t")) > 0 {
		return max(0, bytes.LastIndexByte(rest, '@'))
	}
	return 0
}

// addressEnd returns where an address ends at the latest: at the end of the line or of the literal, or, without a scheme, of the
// word.
func addressEnd(text []byte, scheme bool) int {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '\n' || c == '"' || !scheme && (c == ' ' || c == '\t'):
			return i
		}
	}
	return len(text)
}

// maskText is maskUserinfo for the text of a message.
func maskText(text string) string { return string(maskUserinfo([]byte(text))) }
