package mask

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escape is a way to write a text in quotes.
type escape struct {
	letters string // pairs: a control character, and the letter for it behind a backslash
	slashed string // characters with a backslash before them
	coded   string // further characters that are written like control characters
	control byte   // how other control characters are written: 'u' as \u001b, 'x' as \x1b, 'o' as \033, 0 as they are
	wide    byte   // how characters beyond ASCII are written: 'u', 'x' and 'o' as above, 'a' as ascii of Python, '+' as %+q of Go, 0 as they are
	upper   bool   // in upper-case digits
	spaces  bool   // U+2028 and U+2029 are written as \u2028 and \u2029
	nests   bool   // the form of a form is likely, too: JSON in JSON
}

const (
	jsonLetters  = "\bb\ff\nn\rr\tt"
	shortLetters = "\nn\rr\tt"
	cLetters     = "\aa\bb\ff\nn\rr\tt\vv"
	shellSpecial = " \t!\"#$&'()*,;<=>?[\\]^`{|}~"
)

var escapes = []escape{
	// JSON: JavaScript and Python with ensure_ascii=False; Python; Go; Go without escapes for HTML.
	{letters: jsonLetters, slashed: `"\`, control: 'u', nests: true},
	{letters: jsonLetters, slashed: `"\`, control: 'u', wide: 'u', nests: true},
	{letters: jsonLetters, slashed: `"\`, coded: "<>&", control: 'u', spaces: true, nests: true},
	{letters: jsonLetters, slashed: `"\`, control: 'u', spaces: true},
	// JSON: upper-case digits; PHP, both ways; Gson; .NET.
	{letters: jsonLetters, slashed: `"\`, control: 'u', wide: 'u', upper: true},
	{letters: jsonLetters, slashed: `"\/`, control: 'u', wide: 'u'},
	{letters: jsonLetters, slashed: `"\/`, control: 'u'},
	{letters: jsonLetters, slashed: `"\`, coded: "<>&='", control: 'u', spaces: true},
	{letters: jsonLetters, slashed: `\`, coded: "<>&'+\"`\x7f", control: 'u', wide: 'u', upper: true},
	// repr of Python, of a str and of bytes, in both kinds of quotes.
	{letters: shortLetters, slashed: `\`, control: 'x', nests: true},
	{letters: shortLetters, slashed: `'\`, control: 'x', nests: true},
	{letters: shortLetters, slashed: `\`, control: 'x', wide: 'x'},
	{letters: shortLetters, slashed: `'\`, control: 'x', wide: 'x'},
	{letters: shortLetters, slashed: `\`, control: 'x', wide: 'a'},
	{letters: shortLetters, slashed: `'\`, control: 'x', wide: 'a'},
	// %q and %+q of Go.
	{letters: cLetters, slashed: `"\`, control: 'x'},
	{letters: cLetters, slashed: `"\`, control: 'x', wide: '+'},
	// Shells: $'…' in a UTF-8 locale and elsewhere, "…", and backslashes.
	{letters: cLetters, slashed: `'\`, control: 'o'},
	{letters: cLetters, slashed: `'\`, control: 'o', wide: 'o'},
	{slashed: "\"\\$`"},
	{slashed: shellSpecial},
}

func (e *escape) apply(text string) string {
	if !e.changes(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for i, size := 0, 0; i < len(text); i += size {
		c := text[i]
		size = 1
		if c < utf8.RuneSelf {
			e.ascii(&b, c)
			continue
		}
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		e.beyond(&b, r, text[i:i+size])
	}
	return b.String()
}

// changes reports whether a text may have characters that are escaped.
func (e *escape) changes(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return true
		}
	}
	return strings.ContainsAny(text, e.slashed) || strings.ContainsAny(text, e.coded)
}

func (e *escape) ascii(b *strings.Builder, c byte) {
	if strings.IndexByte(e.slashed, c) >= 0 {
		b.WriteByte('\\')
		b.WriteByte(c)
		return
	}
	if c >= ' ' && strings.IndexByte(e.coded, c) < 0 {
		if c == 0x7f && (e.control == 'x' || e.control == 'o') {
			e.byte(b, e.control, c)
			return
		}
		b.WriteByte(c)
		return
	}
	for i := 0; i < len(e.letters); i += 2 {
		if e.letters[i] == c {
			b.WriteByte('\\')
			b.WriteByte(e.letters[i+1])
			return
		}
	}
	if e.control == 'u' {
		e.unit(b, uint16(c))
		return
	}
	e.byte(b, e.control, c)
}

// beyond writes a character beyond ASCII, or one byte that is not UTF-8.
func (e *escape) beyond(b *strings.Builder, r rune, text string) {
	switch {
	case e.wide == 'x' || e.wide == 'o':
		for i := range len(text) {
			e.byte(b, e.wide, text[i])
		}
	case r == utf8.RuneError && len(text) == 1 && e.wide != 0:
		e.unit(b, 0xdc00|uint16(text[0])) // as Python reads it from the environment
	case e.wide == 'a' && r <= 0xff:
		e.byte(b, 'x', byte(r))
	case (e.wide == 'a' || e.wide == '+') && r > 0xffff:
		fmt.Fprintf(b, `\U%08x`, r)
	case e.wide != 0 || e.spaces && (r == '\u2028' || r == '\u2029'):
		for _, unit := range utf16.AppendRune(nil, r) {
			e.unit(b, unit)
		}
	default:
		b.WriteString(text)
	}
}

func (e *escape) unit(b *strings.Builder, u uint16) {
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(digit(byte(u>>shift)&15, e.upper))
	}
}

func (e *escape) byte(b *strings.Builder, how, c byte) {
	switch how {
	case 'x':
		b.WriteString(`\x`)
		b.WriteByte(digit(c>>4, false))
		b.WriteByte(digit(c&15, false))
	case 'o':
		b.WriteByte('\\')
		b.WriteByte('0' + c>>6)
		b.WriteByte('0' + c>>3&7)
		b.WriteByte('0' + c&7)
	default:
		b.WriteByte(c)
	}
}

func digit(n byte, upper bool) byte {
	if upper {
		return "0123456789ABCDEF"[n]
	}
	return "0123456789abcdef"[n]
}

// percent is a way to write a text in a URL: which characters besides letters and digits stay, and whether a space is
// a plus sign.
type percent struct {
	stay string
	plus bool
}

var percents = []percent{
	{"-_.~", true},                   // a query: Go, Python
	{"-_.~", false},                  // RFC 3986, curl
	{"-_.~/", false},                 // a path: Python
	{"-_.~$&+=:@", false},            // an element of a path: Go
	{"-_.~$&+,;=", false},            // a user or a password: Go
	{"-_.~$&+,/:;=@", false},         // a path: Go
	{"-_.!~*'()", false},             // encodeURIComponent of JavaScript
	{"-_.!~*'();/?:@&=+$,#", false},  // encodeURI of JavaScript
	{"-_.*", true},                   // a form: browsers, Java
	{"-_.", true},                    // PHP
	{"-_.!~*'()$&+,;=:@/[]%", false}, // only what can't be in a URL
}

func (p *percent) apply(text string, lower bool) string {
	same := true
	for i := 0; i < len(text) && same; i++ {
		same = isAlphanumeric(text[i]) || strings.IndexByte(p.stay, text[i]) >= 0
	}
	if same {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for i := range len(text) {
		switch c := text[i]; {
		case isAlphanumeric(c), strings.IndexByte(p.stay, c) >= 0:
			b.WriteByte(c)
		case c == ' ' && p.plus:
			b.WriteByte('+')
		default:
			b.WriteByte('%')
			b.WriteByte(digit(c>>4, !lower))
			b.WriteByte(digit(c&15, !lower))
		}
	}
	return b.String()
}
