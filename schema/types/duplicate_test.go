package types_test

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Implied returns all that JSON has, or an error.
func TestImplied(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"a":2}`:                `an object has the key "a" twice`,
		`[{"a":{"b":1,"b":1}}]`:        `an object has the key "b" twice`,
		"{\"e\u0301\":1,\"\u00e9\":2}": `two keys that are equal as Unicode text: "e\u0301" and "\u00e9"`,
		`{"e\u0301":1,"é":2}`:          `two keys that are equal as Unicode text`,
		`"\ud800"`:                     `\ud800 is half of a surrogate pair`,
		`"\ud83dx"`:                    `\ud83d is half of a surrogate pair`,
		`"\ude00\ud83d"`:               `\ude00 is half of a surrogate pair`,
		`{"\ud800":1}`:                 `half of a surrogate pair`,
		"\"\xff\"":                     "it is not UTF-8",
		`{"a":1`:                       "not valid JSON",
		`1 2`:                          "not valid JSON",
		``:                             "it is empty",
		strings.Repeat("[", 600):       "nested more than",
		`[1e99999]`:                    "too large or small",
		`"\\ud800"`:                    "",
		`"\ud83d\ude00"`:               "",
		`{"a":[1,true,null,"x",{}],"b":{"c":[]}}`: "",
		"{\"e\u0301\":1}":                         "",
	} {
		_, err := types.Implied([]byte(text))
		switch {
		case err == nil && want != "":
			t.Errorf("%.60s: no error, want %s", text, want)
		case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
			t.Errorf("%.60s: %v, want %q", text, err, want)
		}
	}
	v, err := types.Implied([]byte(`{"a":[1,true,null,"\ud83d\ude00"]}`))
	want := cty.ObjectVal(map[string]cty.Value{"a": cty.TupleVal([]cty.Value{cty.NumberIntVal(1), cty.True, cty.NullVal(cty.DynamicPseudoType), cty.StringVal("😀")})})
	if err != nil || !v.RawEquals(want) {
		t.Errorf("%#v, %v", v, err)
	}
}
