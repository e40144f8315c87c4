package types

import (
	"math/big"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// cty stores strings in the Unicode form NFC, and numbers without their text: 1.0 is 1. So that values that pass through an
// expression arrive as they left, values carry what they were as marks:
//
//   - a string that is not in NFC, and a number with another text than its shortest digits, has a form as a mark;
//   - a map, object or set with such keys or elements has a *forms, since cty can't mark these themselves.
//
// Functions and conditions may move marks outward, to the value that they return. ToJSON and Text therefore look for the form of a
// value on itself and then on the values around it, and use a form only if it is a form of this very value. A value without a form
// is written in NFC, or with its shortest digits.
type form struct {
	number bool
	text   string
}

// forms are the forms of several values. They are not changed once they are a mark.
type forms struct {
	texts   map[string]string // by NFC
	numbers map[string]string // by exactSigned
}

// several is the form of a value that has more than one: it isn't known which one is meant.
const several = "\xff"

func (f *forms) add(one form) {
	m, key := &f.texts, ""
	if one.number {
		n, err := parseNumber(one.text)
		if err != nil {
			return
		}
		m, key = &f.numbers, exactSigned(n)
	} else {
		key = norm.NFC.String(one.text)
	}
	f.set(m, key, one.text)
}

func (f *forms) set(m *map[string]string, key, text string) {
	if *m == nil {
		*m = map[string]string{}
	}
	if before, ok := (*m)[key]; ok && before != text {
		text = several
	}
	(*m)[key] = text
}

func (f *forms) addAll(other *forms) {
	for key, text := range other.texts {
		f.set(&f.texts, key, text)
	}
	for key, text := range other.numbers {
		f.set(&f.numbers, key, text)
	}
}

// exactSigned returns a text of a number that only equal numbers with the same sign have.
func exactSigned(f *big.Float) string {
	if f.Sign() == 0 && f.Signbit() {
		return "-0"
	}
	return exact(f)
}

// unmark returns v without the marks of this package, and these as forms. The forms are nil if there are none.
func unmark(v cty.Value) (cty.Value, *forms) {
	if !v.IsMarked() {
		return v, nil
	}
	v, marks := v.Unmark()
	out, shared := (*forms)(nil), false
	for m := range marks {
		switch m := m.(type) {
		case form:
			if out == nil || shared {
				out, shared = copyOf(out), false
			}
			out.add(m)
		case *forms:
			if out == nil {
				out, shared = m, true
				continue
			}
			if shared {
				out, shared = copyOf(out), false
			}
			out.addAll(m)
		}
	}
	return v, out
}

func copyOf(f *forms) *forms {
	out := &forms{}
	if f != nil {
		out.addAll(f)
	}
	return out
}

// textOf returns the text of a string that the innermost of the forms with one for it has.
func textOf(s string, around []*forms) string {
	for i := len(around) - 1; i >= 0; i-- {
		if text, ok := around[i].texts[s]; ok {
			if text == several {
				break
			}
			return text
		}
	}
	return s
}

// numberOf is like textOf for a number; ok is false if there is no form for it.
func numberOf(f *big.Float, around []*forms) (text string, ok bool) {
	key := ""
	for i := len(around) - 1; i >= 0; i-- {
		if len(around[i].numbers) == 0 {
			continue
		}
		if key == "" {
			key = exactSigned(f)
		}
		if text, ok := around[i].numbers[key]; ok {
			return text, text != several
		}
	}
	return "", false
}

// usualText reports whether cty stores a string as it is.
func usualText(s string) bool {
	return ascii(s) || norm.NFC.IsNormalString(s)
}

// UsualNumber reports whether ToJSON writes a number of JSON with the text that it has, also if it does not carry the text.
func UsualNumber(text string) bool {
	point := false
	for i := range len(text) {
		switch text[i] {
		case '.':
			point = true
		case 'e', 'E':
			return false
		}
	}
	switch {
	case len(text) > maxPlain:
		f, err := parseNumber(text)
		return err == nil && f.Text('f', -1) == text
	case point:
		return text[len(text)-1] != '0'
	}
	return true
}

// StringVal returns a string for expressions, which carries its text byte for byte.
func StringVal(s string) cty.Value {
	v := cty.StringVal(s)
	if !usualText(s) {
		v = v.Mark(form{text: s})
	}
	return v
}

// NumberVal returns a number for expressions, which carries its text. It returns false if the text is not a number in JSON's notation.
func NumberVal(text string) (cty.Value, bool) {
	c := codec{in: []byte(text)}
	if len(text) == 0 || !digit(text[0]) || c.number() != nil || c.pos != len(text) {
		return cty.NilVal, false
	}
	return numberVal(text), true
}

func numberVal(text string) cty.Value {
	v, err := cty.ParseNumberVal(text)
	if err != nil {
		return cty.NullVal(cty.Number) // the text is a valid number
	}
	if !UsualNumber(text) {
		v = v.Mark(form{number: true, text: text})
	}
	return v
}

// Text returns the text of a string, byte for byte as it was if it has passed through expressions. v must be known and not null.
func Text(v cty.Value) string {
	v, own := unmark(v)
	if own == nil {
		return v.AsString()
	}
	return textOf(v.AsString(), []*forms{own})
}

// MapVal returns a map that carries its keys byte for byte. Two keys that are equal for expressions are an error.
func MapVal(elems map[string]cty.Value) (cty.Value, error) {
	var own *forms
	byName := make(map[string]string, len(elems))
	for key := range elems {
		name := norm.NFC.String(key)
		if other, ok := byName[name]; ok {
			return cty.NilVal, sameText(min(other, key), max(other, key))
		}
		if byName[name] = key; name != key {
			if own == nil {
				own = &forms{}
			}
			own.add(form{text: key})
		}
	}
	v := cty.MapVal(elems)
	if own != nil {
		v = v.Mark(own)
	}
	return v, nil
}
