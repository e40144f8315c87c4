package step

import (
	"errors"
	"fmt"
	"io"
)

// maxJSONDepth is the maximum depth of a json artifact, the same as in encoding/json.
const maxJSONDepth = 10_000

// checkJSON returns why the content of r is not one JSON document in UTF-8, or "". It stores one byte for each open
// bracket, and no strings or numbers, regardless of their length.
func checkJSON(r io.ByteReader) string {
	s := jsonScanner{r: r}
	err := s.document()
	switch {
	case err == nil:
		return s.text.end()
	case s.text.why != "":
		return s.text.why
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if s.at == 0 {
			return "the file is empty, but JSON has a value: write null, [] or {}"
		}
		return "it is not JSON: it ends too early"
	}
	return fmt.Sprintf("it is not JSON: %s (byte %d)", err, s.at-1)
}

type jsonScanner struct {
	r      io.ByteReader
	text   textChecker
	at     int64
	peeked bool
	c      byte
	open   []byte
	one    [1]byte
}

// next reads a byte, or returns io.EOF.
func (s *jsonScanner) next() (byte, error) {
	if s.peeked {
		s.peeked = false
		return s.c, nil
	}
	c, err := s.r.ReadByte()
	if err != nil {
		return 0, err
	}
	s.at++
	s.c = c
	if c >= 0x80 || len(s.text.rest) > 0 || c == 0 {
		s.one[0] = c
		_, _ = s.text.Write(s.one[:])
		if s.text.why != "" {
			return 0, errors.New(s.text.why)
		}
	} else {
		s.text.at = s.at
	}
	return c, nil
}

func (s *jsonScanner) back() { s.peeked = true }

// token returns the next byte that is not white space.
func (s *jsonScanner) token() (byte, error) {
	for {
		c, err := s.next()
		if err != nil || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, err
		}
	}
}

func (s *jsonScanner) document() error {
	for {
		done, err := s.value()
		if err != nil {
			return err
		}
		for done && len(s.open) > 0 {
			if done, err = s.after(); err != nil {
				return err
			}
		}
		if done {
			break
		}
	}
	c, err := s.token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%q follows the document", c)
}

// value reads a value, or the opening bracket of one: then the value is not done.
func (s *jsonScanner) value() (done bool, err error) {
	c, err := s.token()
	if err != nil {
		return false, err
	}
	switch c {
	case '{', '[':
		if len(s.open) >= maxJSONDepth {
			return false, fmt.Errorf("nested more than %d deep", maxJSONDepth)
		}
		s.open = append(s.open, c)
		return s.opened(c)
	case '"':
		return true, s.str()
	case 't':
		return true, s.word("rue")
	case 'f':
		return true, s.word("alse")
	case 'n':
		return true, s.word("ull")
	}
	if c == '-' || '0' <= c && c <= '9' {
		return true, s.number(c)
	}
	return false, fmt.Errorf("%q can't start a value", c)
}

// opened reads what follows an opening bracket: the closing bracket, or in an object a name.
func (s *jsonScanner) opened(bracket byte) (done bool, err error) {
	c, err := s.token()
	if err != nil {
		return false, err
	}
	if c == bracket+2 { // ']' and '}' are two after '[' and '{'
		s.open = s.open[:len(s.open)-1]
		return true, nil
	}
	if bracket == '[' {
		s.back()
		return false, nil
	}
	return false, s.name(c)
}

func (s *jsonScanner) name(c byte) error {
	if c != '"' {
		return fmt.Errorf("%q where a quoted name is expected", c)
	}
	if err := s.str(); err != nil {
		return err
	}
	c, err := s.token()
	if err == nil && c != ':' {
		err = fmt.Errorf("%q where a colon is expected", c)
	}
	return err
}

// after reads what follows an element: a comma and the next element, or the closing bracket, after which the outer
// element is done.
func (s *jsonScanner) after() (done bool, err error) {
	c, err := s.token()
	if err != nil {
		return false, err
	}
	bracket := s.open[len(s.open)-1]
	switch {
	case c == bracket+2:
		s.open = s.open[:len(s.open)-1]
		return true, nil
	case c != ',':
		return false, fmt.Errorf("%q where a comma or the end is expected", c)
	case bracket == '[':
		return false, nil
	}
	if c, err = s.token(); err != nil {
		return false, err
	}
	return false, s.name(c)
}

func (s *jsonScanner) word(rest string) error {
	for i := range len(rest) {
		c, err := s.next()
		if err != nil {
			return err
		}
		if c != rest[i] {
			return fmt.Errorf("%q in a word that is not true, false or null", c)
		}
	}
	return nil
}

func (s *jsonScanner) str() error {
	for {
		c, err := s.next()
		switch {
		case err != nil:
			return err
		case c == '"':
			return nil
		case c < ' ':
			return fmt.Errorf("%q in a string", c)
		case c != '\\':
			continue
		}
		if c, err = s.next(); err != nil {
			return err
		}
		switch c {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			for range 4 {
				if c, err = s.next(); err != nil {
					return err
				}
				if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
					return fmt.Errorf(`%q in a \u of a string`, c)
				}
			}
		default:
			return fmt.Errorf(`\%c in a string`, c)
		}
	}
}

func (s *jsonScanner) number(c byte) (err error) {
	if c == '-' {
		if c, err = s.next(); err != nil {
			return err
		}
	}
	switch {
	case c == '0':
		c, err = s.next()
	case '1' <= c && c <= '9':
		c, err = s.digits()
	default:
		return fmt.Errorf("%q in a number", c)
	}
	if err == nil && c == '.' {
		c, err = s.fraction()
	}
	if err == nil && c|0x20 == 'e' {
		if c, err = s.next(); err == nil && (c == '+' || c == '-') {
			c, err = s.next()
		}
		if err == nil && (c < '0' || c > '9') {
			return fmt.Errorf("%q in a number's exponent", c)
		}
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		_, err = s.digits()
	}
	if errors.Is(err, io.EOF) {
		return nil // the number ends the document
	}
	if err == nil {
		s.back()
	}
	return err
}

func (s *jsonScanner) fraction() (byte, error) {
	c, err := s.next()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	if c < '0' || c > '9' {
		return 0, fmt.Errorf("%q in a number's fraction", c)
	}
	return s.digits()
}

// digits skips digits, and returns the first other byte.
func (s *jsonScanner) digits() (byte, error) {
	for {
		c, err := s.next()
		if err != nil || c < '0' || c > '9' {
			return c, err
		}
	}
}
