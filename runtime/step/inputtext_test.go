package step

import (
	"encoding/json"
	"os"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"

	"github.com/zclconf/go-cty/cty"
)

// TestInputText checks that a string is its own text in the file of an input, and that each file is read as the same string.
func TestInputText(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/inputs", 0o700); err != nil {
		t.Fatal(err)
	}
	s := &Spec{Root: dir}
	file := func(fatal func(...any), value string) string {
		d := &record.Datum{Name: "s", Type: "string", Value: json.RawMessage(value)}
		if f := s.writeValue(d, cty.String); f != nil {
			fatal(f)
		}
		data, err := os.ReadFile(s.InputPath("s"))
		if err != nil {
			fatal(err)
		}
		return string(data)
	}
	for value, want := range map[string]string{
		`"plain"`: "plain\n", `""`: "\n", `"a \"b\" é\n"`: "a \"b\" é\n\n", `"null"`: "null\n", `"3"`: "3\n", `"\"quoted\""`: `"\"quoted\""` + "\n", `"a\r"`: `"a\r"` + "\n",
	} {
		if got := file(t.Fatal, value); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("\"\\\n\r a{é\u00a0\u2028"))).Draw(t, "text")
		data, err := types.ToJSON(types.StringVal(text))
		if err != nil {
			t.Fatal(err)
		}
		back, why := parseValue([]byte(file(t.Fatal, string(data))), cty.String)
		if why != "" || string(back) != string(data) {
			t.Fatalf("got %s %s, want %s", back, why, data)
		}
	})
}

func TestNullInputText(t *testing.T) {
	s := &Spec{Root: t.TempDir()}
	if f := s.writeValue(&record.Datum{Name: "s", Type: "string", Value: json.RawMessage("null")}, cty.String); f != nil {
		t.Fatal(f)
	}
	if _, err := os.Stat(s.InputPath("s")); !os.IsNotExist(err) {
		t.Error("a null string has a file", err)
	}
}
