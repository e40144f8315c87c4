package types

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

// Implied decodes JSON to a value of the type that it implies. It loses nothing: keys that are equal, also after Unicode
// normalization, and text that is not valid Unicode are errors.
func Implied(data []byte) (cty.Value, error) {
	if err := checkJSON(data); err != nil {
		return cty.NilVal, err
	}
	if err := checkUnicode(data); err != nil {
		return cty.NilVal, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return implied(dec)
}

// implied decodes the next value. checkJSON has bounded its depth.
func implied(dec *json.Decoder) (cty.Value, error) {
	token, err := dec.Token()
	if err != nil {
		return cty.NilVal, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return impliedObject(dec)
		}
		return impliedTuple(dec)
	case json.Number:
		return cty.ParseNumberVal(token.String())
	case string:
		return cty.StringVal(token), nil
	case bool:
		return cty.BoolVal(token), nil
	}
	return cty.NullVal(cty.DynamicPseudoType), nil
}

func impliedTuple(dec *json.Decoder) (cty.Value, error) {
	var elems []cty.Value
	for dec.More() {
		v, err := implied(dec)
		if err != nil {
			return cty.NilVal, err
		}
		elems = append(elems, v)
	}
	_, err := dec.Token()
	return cty.TupleVal(elems), err
}

func impliedObject(dec *json.Decoder) (cty.Value, error) {
	attrs, names := map[string]cty.Value{}, map[string]string{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return cty.NilVal, err
		}
		name, _ := token.(string)
		normal := cty.NormalizeString(name)
		if first, ok := names[normal]; ok {
			return cty.NilVal, duplicate(first, name)
		}
		if attrs[normal], err = implied(dec); err != nil {
			return cty.NilVal, err
		}
		names[normal] = name
	}
	_, err := dec.Token()
	return cty.ObjectVal(attrs), err
}

func duplicate(first, second string) error {
	if first == second {
		return fmt.Errorf("not valid JSON: an object has the key %q twice", first)
	}
	return fmt.Errorf("an object has two keys that are equal as Unicode text: %+q and %+q", first, second)
}

// checkUnicode finds text in valid JSON that encoding/json would replace: bytes that are not UTF-8, and an escape for half of
// a surrogate pair.
func checkUnicode(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("not valid JSON: it is not UTF-8")
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++ // a backslash is only valid in a string, before another byte
		unit := escape(data[i:])
		switch {
		case unit < 0xd800 || unit > 0xdfff:
		case unit < 0xdc00 && len(data) > i+6 && data[i+5] == '\\' && escape(data[i+6:])>>10 == 0xdc00>>10:
			i += 10
		default:
			return fmt.Errorf("not valid JSON: \\%s is half of a surrogate pair, and not a character", data[i:i+5])
		}
	}
	return nil
}

// escape returns the code unit of an escape uXXXX at the start of data; -1: there is none.
func escape(data []byte) int {
	if len(data) < 5 || data[0] != 'u' {
		return -1
	}
	unit := 0
	for _, c := range data[1:5] {
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit = unit<<4 | int(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return unit
}
