package record

import (
	"encoding/json"
	"strings"
)

// Key is the key of an instance as it is written in an address and in an expression: a JSON string for an element of a
// map or a set, a number for an element of a list.
type Key string

// StringKey writes the text of an element's key as a Key.
func StringKey(text string) Key {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string can always be encoded
	return Key(strings.TrimSuffix(b.String(), "\n"))
}

// Text returns the key without quotes.
func (k Key) Text() string {
	var text string
	if strings.HasPrefix(string(k), `"`) && json.Unmarshal([]byte(k), &text) == nil {
		return text
	}
	return string(k)
}

// valid reports whether k is written as StringKey writes it, or is a number without sign, fraction or leading zeros.
func (k Key) valid() bool {
	if strings.HasPrefix(string(k), `"`) {
		return StringKey(k.Text()) == k
	}
	return k != "" && strings.Trim(string(k), "0123456789") == "" && (k == "0" || k[0] != '0')
}
