package types

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// MaxValue is the maximum size of the JSON of a value that is passed between steps, in bytes.
const MaxValue = 1 << 20

// maxDepth bounds the nesting of a value read from JSON, whose readers recurse.
const maxDepth = 512

// maxDigits bounds a number in JSON; its exponent has at most three digits. Numbers are exact, and cost the square of
// their digits.
const maxDigits = 1024

// FromJSON decodes a value of type t. As in Convert, a JSON null is an error.
func FromJSON(data []byte, t cty.Type) (cty.Value, error) {
	if len(data) > MaxValue {
		return cty.NilVal, fmt.Errorf("the value has %d bytes, but a value can have at most %d; use an artifact for larger data", len(data), MaxValue)
	}
	v, err := Implied(data)
	if err != nil {
		return cty.NilVal, err
	}
	return Convert(v, t)
}

// Restore decodes the output of ToJSON for a value of type t, including its nulls.
func Restore(data []byte, t cty.Type) (cty.Value, error) {
	if HasArtifact(t) {
		return cty.NilVal, errors.New("an artifact is not a value")
	}
	if err := checkJSON(data); err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(data, t.WithoutOptionalAttributesDeep())
}

// checkJSON bounds what the readers of JSON recurse over, and what exact numbers would cost.
func checkJSON(data []byte) error {
	depth, quoted, digits, exponent := 0, false, 0, 0
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return fmt.Errorf("the JSON is nested more than %d deep", maxDepth)
			}
		case c == ']' || c == '}':
			depth--
		case '0' <= c && c <= '9' || c == '.':
			digits++
			if exponent > 0 {
				exponent++
			}
			if digits > maxDigits || exponent > 4 {
				return errors.New("a number in it is too long, or too large or small")
			}
			continue
		case c|0x20 == 'e' && digits > 0:
			exponent = 1
			continue
		case c == '+' || c == '-':
			continue
		}
		digits, exponent = 0, 0
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty, but a value must be JSON")
	}
	if !json.Valid(data) {
		var v json.RawMessage
		return fmt.Errorf("not valid JSON: %w", json.Unmarshal(data, &v))
	}
	return nil
}

// ToJSON encodes a value. Unknown values and artifacts are errors. Keys of objects are sorted and nothing is escaped for HTML, so
// that equal values have equal bytes.
func ToJSON(v cty.Value) (json.RawMessage, error) {
	if HasArtifact(v.Type()) {
		return nil, errors.New("an artifact is not a value")
	}
	if !v.IsWhollyKnown() {
		return nil, errors.New("the value is not known yet")
	}
	v, _ = v.UnmarkDeep()
	if v.IsNull() {
		return json.RawMessage("null"), nil
	}
	data, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(data, []byte(`\u00`)) {
		return data, nil
	}
	return unescapeHTML(data), nil
}

func unescapeHTML(data []byte) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || enc.Encode(v) != nil {
		return data
	}
	return bytes.TrimRight(out.Bytes(), "\n")
}
