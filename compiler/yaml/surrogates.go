package yaml

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	lib "go.yaml.in/yaml/v4"
)

// JSON writes a character outside of Unicode's first plane as two escapes, a surrogate pair. YAML 1.2 includes JSON, but the library
// rejects them. It receives a source in which the escapes of each pair are those of two characters for private use. They have
// the same length, so that all positions stay the same.

var pair = regexp.MustCompile(`\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})`)

// privateBases are the starts of areas for private use. The first one that a source doesn't use is taken.
var privateBases = []rune{0xe000, 0xea00}

// The second digits of surrogates. A surrogate becomes a character of the 256 at the index of its digit, so that the escape can be
// restored with the case of its letters.
const (
	highDigits   = "89abAB"
	secondDigits = highDigits + "cdefCDEF"
	area         = rune(len(secondDigits)) << 8
)

// pairs are the surrogate pairs of a source.
type pairs struct{ base rune } // 0: there are none

// hide replaces the surrogate pairs of a source.
func hide(src []byte) ([]byte, pairs) {
	found := pair.FindAllSubmatchIndex(src, -1)
	if found == nil {
		return src, pairs{}
	}
	for _, base := range privateBases {
		p := pairs{base}
		if p.used(src) {
			continue
		}
		out := bytes.Clone(src)
		for _, m := range found {
			if escapes := m[0] - len(bytes.TrimRight(src[:m[0]], `\`)); escapes%2 == 1 {
				continue // an escaped backslash, and no escape
			}
			p.replace(out[m[2]:m[3]])
			p.replace(out[m[4]:m[5]])
		}
		return out, p
	}
	return src, pairs{} // the library reports the first pair
}

// replace replaces the four digits of a surrogate.
func (p pairs) replace(digits []byte) {
	r := p.base + rune(strings.IndexByte(secondDigits, digits[1]))<<8
	first := fmt.Sprintf("%02x", r>>8)
	if digits[0] == 'D' {
		first = strings.ToUpper(first[:1]) + first[1:]
	}
	copy(digits, first)
}

// used reports whether a source contains a character of the area, or an escape of one.
func (p pairs) used(src []byte) bool {
	for rest := src; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if p.has(r) {
			return true
		}
		rest = rest[n:]
	}
	for _, m := range escape16.FindAllSubmatch(src, -1) {
		if p.has(unit(string(m[1]))) {
			return true
		}
	}
	return false
}

func (p pairs) has(r rune) bool { return p.base <= r && r < p.base+area }

var escape16 = regexp.MustCompile(`\\u([0-9a-fA-F]{4})`)

func unit(digits string) rune {
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// surrogate returns the surrogate for a character of the area.
func (p pairs) surrogate(r rune) rune {
	return unit("d" + secondDigits[(r-p.base)>>8:][:1] + fmt.Sprintf("%02x", r&0xff))
}

// restore replaces the characters for private use in the scalars below a node.
func (p pairs) restore(n *lib.Node) {
	if p.base == 0 || n == nil {
		return
	}
	if n.Kind == lib.ScalarNode {
		if n.Style&lib.DoubleQuotedStyle != 0 {
			n.Value = p.joined(n.Value)
		} else {
			n.Value = p.written(n.Value)
		}
	}
	for _, c := range n.Content {
		p.restore(c)
	}
}

// joined returns text in quotes with the characters that the pairs stand for.
func (p pairs) joined(s string) string {
	var b strings.Builder
	high := rune(0)
	for _, r := range s {
		switch {
		case !p.has(r):
			b.WriteRune(r)
		case high == 0:
			high = p.surrogate(r)
		default:
			b.WriteRune(utf16.DecodeRune(high, p.surrogate(r)))
			high = 0
		}
	}
	return b.String()
}

// written returns text without quotes, in which escapes have no meaning, as it was.
func (p pairs) written(s string) string {
	return escape16.ReplaceAllStringFunc(s, func(text string) string {
		r := unit(text[2:])
		if !p.has(r) {
			return text
		}
		first := "d"
		if text[2] < 'a' {
			first = "D"
		}
		return text[:2] + first + secondDigits[(r-p.base)>>8:][:1] + text[4:]
	})
}
