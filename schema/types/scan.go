package types

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// space goes to the next byte that is not white space, and returns it. It returns 0 at the end.
func (c *codec) space() byte {
	for ; c.pos < len(c.in); c.pos++ {
		switch b := c.in[c.pos]; b {
		case ' ', '\t', '\n', '\r':
		default:
			return b
		}
	}
	return 0
}

func (c *codec) word(w string) error {
	if !bytes.HasPrefix(c.in[c.pos:], []byte(w)) {
		return errSyntax()
	}
	c.pos += len(w)
	c.out.raw(w)
	return nil
}

// number copies a number with its text.
func (c *codec) number() error {
	start := c.pos
	if c.in[c.pos] == '-' {
		c.pos++
	}
	whole := c.digits()
	if whole == 0 || whole > 1 && c.in[c.pos-whole] == '0' {
		return errSyntax()
	}
	if c.at('.') {
		if c.pos++; c.digits() == 0 {
			return errSyntax()
		}
	}
	exponent := 0
	if c.at('e') || c.at('E') {
		if c.pos++; c.at('+') || c.at('-') {
			c.pos++
		}
		if exponent = c.digits(); exponent == 0 {
			return errSyntax()
		}
	}
	text := c.in[start:c.pos]
	if len(text) > maxDigits+2 || exponent > 3 { // checkJSON has the message
		return errSyntax()
	}
	if exponent > 0 || len(text) > maxPlain {
		if f, err := parseNumber(string(text)); err != nil || !writable(f) {
			return errInfinite
		}
	}
	c.out.buf = append(c.out.buf, text...)
	return nil
}

// maxPlain is how many digits a number can have that is exact in a cty.Number, which has 512 bits.
const maxPlain = 150

// parseNumber parses a number as cty does.
func parseNumber(text string) (*big.Float, error) {
	f, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven)
	return f, err
}

func (c *codec) at(b byte) bool { return c.pos < len(c.in) && c.in[c.pos] == b }

func (c *codec) digits() (n int) {
	for ; c.pos < len(c.in) && '0' <= c.in[c.pos] && c.in[c.pos] <= '9'; c.pos++ {
		n++
	}
	return n
}

// text copies a string.
func (c *codec) text() error {
	c.pos++
	start := c.pos
	for c.pos < len(c.in) { // usually nothing has to be changed
		b := c.in[c.pos]
		if b == '"' {
			c.out.buf = append(append(append(c.out.buf, '"'), c.in[start:c.pos]...), '"')
			c.pos++
			return nil
		}
		if b == '\\' || b < ' ' || b >= utf8.RuneSelf {
			break
		}
		c.pos++
	}
	c.out.buf = append(append(c.out.buf, '"'), c.in[start:c.pos]...)
	for c.pos < len(c.in) {
		r, n := utf8.DecodeRune(c.in[c.pos:])
		switch {
		case r == '"':
			c.pos++
			c.out.buf = append(c.out.buf, '"')
			return nil
		case r < ' ':
			return errSyntax()
		case r == utf8.RuneError && n == 1:
			return &valueError{why: fmt.Sprintf("not valid JSON: it is not UTF-8 (byte %d is 0x%02x)", c.pos, c.in[c.pos])}
		case r == 0x2028 || r == 0x2029:
			c.out.rune(r)
			c.pos += n
		case r != '\\':
			c.out.buf = append(c.out.buf, c.in[c.pos:c.pos+n]...)
			c.pos += n
		default:
			if err := c.escape(); err != nil {
				return err
			}
		}
	}
	return errSyntax()
}

// escape reads an escape sequence.
func (c *codec) escape() error {
	if c.pos++; c.pos >= len(c.in) {
		return errSyntax()
	}
	b := c.in[c.pos]
	c.pos++
	switch b {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		c.out.buf = append(c.out.buf, '\\', b)
		return nil
	case '/':
		c.out.buf = append(c.out.buf, b)
		return nil
	case 'u':
	default:
		return errSyntax()
	}
	r, ok := c.hex()
	if !ok {
		return errSyntax()
	}
	if utf16.IsSurrogate(r) {
		first := r
		r = utf8.RuneError
		if bytes.HasPrefix(c.in[c.pos:], []byte(`\u`)) {
			back := c.pos
			c.pos += 2
			if second, ok := c.hex(); ok {
				r = utf16.DecodeRune(first, second)
			}
			if r == utf8.RuneError {
				c.pos = back
			}
		}
		if r == utf8.RuneError {
			return &valueError{why: fmt.Sprintf(`not valid JSON: \u%04x is half of a surrogate pair, and not a character`, first)}
		}
	}
	c.out.rune(r)
	return nil
}

// hex reads the four digits of an escape sequence.
func (c *codec) hex() (rune, bool) {
	if len(c.in)-c.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(c.in[c.pos:c.pos+4]), 16, 16)
	if err != nil {
		return 0, false
	}
	c.pos += 4
	return rune(n), true
}
