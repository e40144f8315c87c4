package types

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxValue is the maximum size of the JSON of a value that is passed between steps, in bytes.
const MaxValue = 1 << 20

// maxDepth bounds the nesting of a value read from JSON, whose readers recurse.
const maxDepth = 512

// maxDigits bounds a number in JSON; its exponent has at most three digits. Numbers are exact, and cost the square of
// their digits.
const maxDigits = 1024

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
