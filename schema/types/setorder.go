package types

import (
	"bytes"
	"cmp"
	"math/big"
	"strings"
)

// elementKey orders the elements of a set. Elements with equal keys are equal.
type elementKey struct {
	number *big.Float
	text   string // of a string: its content; of other elements: their JSON, in which equal numbers have one text
}

func (k elementKey) compare(other elementKey) int {
	if k.number != nil && other.number != nil {
		return k.number.Cmp(other.number)
	}
	return cmp.Compare(k.text, other.text)
}

// keyOfElement returns the key of an element in canonical JSON.
func keyOfElement(data []byte) elementKey {
	switch b := data[0]; {
	case b == '"':
		return elementKey{text: unquote(data[1 : len(data)-1])}
	case digit(b):
		f, err := parseNumber(string(data))
		if err != nil {
			return elementKey{text: string(data)}
		}
		return elementKey{number: f}
	case b == '[' || b == '{':
		return elementKey{text: plainNumbers(data)}
	}
	return elementKey{text: string(data)}
}

func digit(b byte) bool { return b == '-' || '0' <= b && b <= '9' }

// plainNumbers returns canonical JSON in which numbers that are equal have the same text.
func plainNumbers(data []byte) string {
	var b strings.Builder
	for len(data) > 0 {
		n := 1
		switch {
		case data[0] == '"':
			n = stringEnd(data)
			b.Write(data[:n])
		case digit(data[0]):
			if n = bytes.IndexAny(data, ",]}"); n < 0 {
				n = len(data)
			}
			if f, err := parseNumber(string(data[:n])); err == nil {
				b.WriteString(exact(f))
			}
		default:
			b.WriteByte(data[0])
		}
		data = data[n:]
	}
	return b.String()
}

// stringEnd returns the length of the string that canonical JSON begins with.
func stringEnd(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// exact returns a text of a number that only equal numbers have. 0 and -0 are equal.
func exact(f *big.Float) string {
	if f.Sign() == 0 {
		return "0"
	}
	return f.Text('p', 0)
}

// sameShapes reports whether the elements of a list have the same type.
func (w *writer) sameShapes(l level) bool {
	first := ""
	for i, s := range w.ranks(w.members[l:]) {
		shape := shapeOf(w.buf[s.start:s.end])
		if i > 0 && shape != first {
			return false
		}
		first = shape
	}
	return true
}

// shapeOf returns canonical JSON without its strings, numbers and bools: what its type depends on.
func shapeOf(data []byte) string {
	var b strings.Builder
	for len(data) > 0 {
		n := 1
		switch c := data[0]; {
		case c == '"':
			n = stringEnd(data)
			if n < len(data) && data[n] == ':' {
				b.Write(data[:n]) // a key
			} else {
				b.WriteByte('s')
			}
		case digit(c):
			if n = bytes.IndexAny(data, ",]}"); n < 0 {
				n = len(data)
			}
			b.WriteByte('0')
		case c == 't', c == 'f':
			n = map[byte]int{'t': len("true"), 'f': len("false")}[c]
			b.WriteByte('b')
		default:
			b.WriteByte(c)
		}
		data = data[n:]
	}
	return b.String()
}
