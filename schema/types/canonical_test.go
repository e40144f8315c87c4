package types_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"golang.org/x/text/unicode/norm"

	"pipec.dev/pipec/schema/types"
)

const (
	nfd = "e\u0301" // é as two characters
	nfc = "\u00e9"  // é as one
)

func TestCanonical(t *testing.T) {
	deep := strings.Repeat("[", 513) + strings.Repeat("]", 513)
	for _, c := range []struct{ typ, data, want, fails string }{
		{typ: "string", data: ` "a" `, want: `"a"`},
		{typ: "string", data: `"` + nfd + nfc + `"`, want: `"` + nfd + nfc + `"`},
		{typ: "string", data: `"\u0065\u0301<>&\/\u001f\b\t\u2028\ud83d\ude00"`, want: `"` + nfd + `<>&/\u001f\b\t\u2028` + "\U0001f600" + `"`},
		{typ: "any", data: `[1.0, 1e20,-0.0,1E5 , 0.50, 100000000000000000000000]`, want: `[1.0,1e20,-0.0,1E5,0.50,100000000000000000000000]`},
		{typ: "any", data: `{"b":1,"a":{"d":null,"c":[]}, "":{}}`, want: `{"":{},"a":{"c":[],"d":null},"b":1}`},
		{typ: "any", data: `{"\n":1,"!":2}`, want: `{"\n":1,"!":2}`},
		{typ: "map(number)", data: `{"` + nfd + `":1,"` + nfc + `":2}`, want: `{"` + nfd + `":1,"` + nfc + `":2}`},
		{typ: "set(number)", data: `[2, 1.0, 1, 10, 2.00]`, want: `[1.0,2,10]`},
		{typ: "set(string)", data: `["` + nfc + `","b","` + nfd + `","a","b"]`, want: `["a","b","` + nfd + `","` + nfc + `"]`},
		{typ: "set(object({a = number}))", data: `[{"a":2},{"a":1.0},{"a":1}]`, want: `[{"a":1.0},{"a":2}]`},
		{typ: "set(any)", data: `[{"a":2,"b":"x"},{"b":"y","a":1}]`, want: `[{"a":1,"b":"y"},{"a":2,"b":"x"}]`},
		{typ: "set(any)", data: `[1,"a"]`, fails: "the elements of a set must have the same type"},
		{typ: "object({a = number, b = optional(string), c = any})", data: `{"c":null,"a":1}`, want: `{"a":1,"b":null,"c":null}`},
		{typ: "object({a = number, b = optional(string)})", data: `{"b":null,"a":1}`, want: `{"a":1,"b":null}`},
		{typ: "object({" + `"` + nfc + `"` + " = number})", data: `{"` + nfd + `":1}`, want: `{"` + nfd + `":1}`},
		{typ: "object({" + `"` + nfc + `"` + " = number})", data: `{"` + nfd + `":1,"` + nfc + `":2}`, fails: `equal as Unicode text: "e\u0301" and "\u00e9"`},
		{typ: "object({a = number, b = string})", data: `{"a":1,"a":1}`, fails: `has the key "a" twice`},
		{typ: "object({a = number, b = optional(string)})", data: `{"a":1,"a":1}`, fails: `has the key "a" twice`},
		{typ: "object({a = list(object({b = number}))})", data: `{"a":[{"b":1},{"b":"x"}]}`, fails: "expected number, found string at .a[1].b"},
		{typ: "object({a = number})", data: `{"a":1,"z":1}`, fails: `it has an attribute "z", which object({a = number}) does not have`},
		{typ: "object({a = number})", data: `{}`, fails: `the attribute "a" is missing`},
		{typ: "object({a = number})", data: `{"a":null}`, fails: "the value at .a is null, which number does not allow"},
		{typ: "list(any)", data: `[1,"a",null]`, want: `[1,"a",null]`},
		{typ: "list(string)", data: `["a",null]`, fails: "the value at [1] is null, which string does not allow"},
		{typ: "tuple([number, string])", data: `[1, "a"]`, want: `[1,"a"]`},
		{typ: "tuple([number, string])", data: `[1, "a", 2]`, fails: "expected 2 elements, found 3"},
		{typ: "string", data: `5`, fails: "expected string, found number"},
		{typ: "number", data: `true`, fails: "expected number, found bool"},
		{typ: "list(number)", data: `{}`, fails: "expected list(number), found object"},
		{typ: "map(number)", data: `{"a b":[]}`, fails: `expected number, found list at ["a b"]`},
		{typ: "any", data: `null`, fails: "the value is null"},
		{typ: "model", data: `1`, fails: "an artifact comes from a step's output"},
		{typ: "any", data: `{"a":{"b":1,"b":1}}`, fails: `has the key "b" twice at ["a"]`},
		{typ: "any", data: `["\ud800"]`, fails: `\ud800 is half of a surrogate pair`},
		{typ: "any", data: `["\ud800\u0041"]`, fails: "at [0]"},
		{typ: "any", data: `{"a":"` + "\xff" + `"}`, fails: `it is not UTF-8 (byte 6 is 0xff) at ["a"]`},
		{typ: "any", data: `{"` + "\xff" + `":1}`, fails: "not UTF-8"},
		{typ: "any", data: deep, fails: "nested more than 512 deep"},
		{typ: "any", data: strings.Repeat("1", 1025), fails: "too long"},
		{typ: "any", data: "1e1000", fails: "too long"},
		{typ: "any", data: strings.Repeat("1", 800) + "e900", fails: "takes too many digits"},
		{typ: "any", data: "1e999", want: "1e999"},
		{typ: "string", data: `5 x`, fails: "not valid JSON"},
		{typ: "any", data: "[1,]", fails: "not valid JSON: invalid character ']' looking for beginning of value"},
		{typ: "any", data: "01", fails: "not valid JSON"},
		{typ: "any", data: "nulL", fails: "not valid JSON"},
		{typ: "any", data: " ", fails: "it is empty"},
	} {
		typ, err := types.ParseString(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		got, err := types.Canonical([]byte(c.data), typ)
		if c.fails == "" && (err != nil || string(got) != c.want) || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%.80s as %s: %s, %v; want %s%s", c.data, c.typ, got, err, c.want, c.fails)
		}
		var null *types.NullError
		if errors.As(err, &null) != (err != nil && strings.Contains(err.Error(), "is null")) {
			t.Errorf("%s as %s: %T", c.data, c.typ, err)
		}
	}
}

// throughCty is how values were read before Canonical: without their text.
func throughCty(data []byte, t cty.Type) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	implied, err := ctyjson.ImpliedType(data)
	if err != nil {
		return nil, err
	}
	v, err := ctyjson.Unmarshal(data, implied)
	if err != nil {
		return nil, err
	}
	if v, err = types.Convert(v, t); err != nil {
		return nil, err
	}
	return ctyjson.Marshal(v, v.Type())
}

// plain returns JSON with strings in NFC, one text for equal numbers, and sorted sets.
func plain(t *testing.T, data []byte, typ cty.Type) string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	text, err := json.Marshal(plainValue(v))
	if err != nil {
		t.Fatal(err)
	}
	out, err := types.Canonical(text, typ)
	if err != nil {
		t.Fatalf("%s, made of %s: %v", text, data, err)
	}
	return string(out)
}

func plainValue(v any) any {
	switch v := v.(type) {
	case string:
		return norm.NFC.String(v)
	case json.Number:
		n, err := cty.ParseNumberVal(v.String())
		if err != nil {
			return v
		}
		text := n.AsBigFloat().Text('f', -1)
		if text == "-0" {
			text = "0"
		}
		return json.Number(text)
	case []any:
		for i := range v {
			v[i] = plainValue(v[i])
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[norm.NFC.String(k)] = plainValue(e)
		}
		return out
	}
	return v
}

var fuzzTypes = []string{
	"any", "string", "number", "bool", "list(any)", "list(number)", "list(string)", "set(string)", "set(number)", "set(any)", "map(any)", "map(number)", "map(list(string))",
	"object({a = number, b = optional(string), c = optional(any)})", "object({" + `"` + nfc + `"` + " = any})", "tuple([string, any])", "set(object({a = any}))", "list(set(any))", "model",
}

// FuzzCanonical reads any JSON as values of several types: as expressions read them, but with its text, and the same when it is read
// again.
func FuzzCanonical(f *testing.F) {
	for i, s := range []string{
		`{"a":1.0,"b":"x"}`, `["` + nfd + `","` + nfc + `"]`, `{"` + nfd + `":1,"` + nfc + `":2}`, `[1e20,-0.0,1.50,1E-5,-0]`, `"\ud83d\ude00\u0301"`, `["\ud800"]`, `[[1,"a"],[null]]`,
		`[{"a":1},{"a":1.0},{"a":"x"}]`, `{"z":1,"a":{"c":1,"b":2},"\n":3,"":4}`, `{"a":null}`, `1e999`, `[true,false,null]`, `"\u2028<>&\u007f"`, "\"\u2028\u2029\u2027\"", `{"a":1,"a":2}`,
	} {
		f.Add([]byte(s), byte(i))
		f.Add([]byte(s), byte(0))
	}
	all := make([]cty.Type, len(fuzzTypes))
	for i, text := range fuzzTypes {
		t, err := types.ParseString(text)
		if err != nil {
			f.Fatal(err)
		}
		all[i] = t
	}
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		typ := all[int(which)%len(all)]
		got, err := types.Canonical(data, typ)
		if err != nil && strings.Contains(err.Error(), "too long") {
			return // cty would read it for minutes
		}
		old, oldErr := throughCty(data, typ)
		if err != nil {
			if oldErr == nil && json.Valid(data) && utf8.Valid(data) && !strings.Contains(err.Error(), "twice") && !strings.Contains(err.Error(), "half of a surrogate pair") &&
				!strings.Contains(err.Error(), "equal as Unicode text") && !strings.Contains(err.Error(), "nested") {
				t.Fatalf("%q as %s: %v, but it can be read as %s", data, types.String(typ), err, old)
			}
			return
		}
		again, err := types.Canonical(got, typ)
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("%q becomes %s, and then %s (%v)", data, got, again, err)
		}
		if oldErr == nil {
			if a, b := plain(t, got, typ), plain(t, old, typ); a != b {
				t.Fatalf("%q is %s, want %s", data, a, b)
			}
		} else if utf8.Valid(data) && !strings.Contains(oldErr.Error(), "panic") && !strings.Contains(oldErr.Error(), "unsupported attribute") && norm.NFC.IsNormal(got) {
			t.Fatalf("%q as %s is %s, want %v", data, types.String(typ), got, oldErr)
		}
		v, err := types.FromJSON(data, typ)
		if err != nil {
			if !norm.NFC.IsNormal(got) || typ.IsSetType() || strings.Contains(err.Error(), "same type") {
				return // two keys or elements are equal for expressions
			}
			t.Fatalf("%q as %s: %v", data, types.String(typ), err)
		}
		if back, err := types.ToJSON(v); err != nil || !bytes.Equal(back, got) {
			t.Fatalf("%q as %s is %s, and %s from an expression (%v)", data, types.String(typ), got, back, err)
		}
		if v, err = types.Convert(v, typ); err != nil {
			t.Fatalf("%s can't be converted to its own type %s: %v", got, types.String(typ), err)
		}
		if back, err := types.ToJSON(v); err != nil || !bytes.Equal(back, got) {
			t.Fatalf("%q as %s is %s, and %s when it is converted (%v)", data, types.String(typ), got, back, err)
		}
	})
}
