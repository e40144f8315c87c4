package step

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/step/mask"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// outputTypes are the types of the outputs that are fuzzed: values, and artifacts.
var outputTypes = append([]string{
	"string", "number", "bool", "any", "list(string)", "list(number)", "list(bool)", "list(any)", "map(string)", "map(number)", "map(any)",
	"set(string)", "list(list(number))", "object({a = number, b = optional(string)})", "map(object({a = any}))", "list(object({a = string}))",
	"list(text)", "map(json)",
}, types.Kinds...)

// placeSecret replaces each \x0e in a file by a secret, and each \x0f by the secret as in JSON. The secret has no text in
// common with messages of pipec.
func placeSecret(data, seed []byte) (file []byte, secret string) {
	const alphabet = "QZX7QZX7QZ\"'\\\n <&%/+\t\ré😀"
	letters := []rune(alphabet)
	var b strings.Builder
	b.WriteString("QZ7")
	for _, c := range seed[:min(len(seed), 60)] {
		b.WriteRune(letters[int(c)%len(letters)])
	}
	secret = b.String() + "Z"
	quoted, _ := json.Marshal(secret)
	file = bytes.ReplaceAll(data, []byte{0x0e}, []byte(secret))
	return bytes.ReplaceAll(file, []byte{0x0f}, quoted[1:len(quoted)-1]), secret
}

// FuzzOutputFile writes any bytes as an output of any type: the output has its type and comes back as it was, or the
// step fails with a message that names the output and shows the content, without the secret.
func FuzzOutputFile(f *testing.F) {
	for i := range outputTypes {
		for _, s := range []string{"", "True", "['a']", "nan", "93%", "\xef\xbb\xbf1\r\n", "1\r\n", "\xff\xfe1\x00", `"a"`, "[1, 2.0, -0.0, 1e20]", `{"a": 1, "a": 2}`,
			"{\"a\": \"\x0f\"}", "\x0e\n", "{\"\x0f\": {\"a\": \"\\ud800\"}}", "null", `{"a":1,"b":"x"}`, `{"a":{"a":null}}`, `[{"a":"\u0000"}]`, "PK\x03\x00", "a,\x0e\n1,2\n", "a\x00"} {
			f.Add([]byte(s), byte(i), []byte("secret"))
		}
	}
	root := f.TempDir()
	if err := os.Mkdir(filepath.Join(root, outputsDir), 0o777); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, kind byte, seed []byte) {
		typ := outputTypes[int(kind)%len(outputTypes)]
		file, secret := placeSecret(data, seed)
		a := attempt{
			spec:  &Spec{Root: root, Program: program.Step{Outputs: []program.Output{{Name: "o", Type: typ}}}},
			masks: mask.New(map[string]string{"A": secret}), result: record.Result{Status: record.Succeeded},
		}
		writeOutput(t, a.spec.OutputPath("o"), typ, file)
		one, fail := a.inspect(context.Background(), &a.spec.Program.Outputs[0])
		if fail != nil {
			a.fail(fail)
			failsWell(t, &a.result, typ, file, secret)
			return
		}
		if one.value != nil {
			comesBack(t, one.value, typ, file)
		}
	})
}

// writeOutput writes the file of an output, or the one element of it.
func writeOutput(t *testing.T, path, typ string, file []byte) {
	t.Helper()
	_ = os.RemoveAll(path)
	switch {
	case typ == "list(text)":
		_ = os.Mkdir(path, 0o777)
		path = filepath.Join(path, "000000")
	case typ == "map(json)":
		_ = os.Mkdir(path, 0o777)
		path = filepath.Join(path, "index.json")
	case typ == "directory":
		_ = os.Mkdir(path, 0o777)
		path = filepath.Join(path, "f")
	}
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
}

// failsWell checks the message of a failure.
func failsWell(t *testing.T, r *record.Result, typ string, file []byte, secret string) {
	t.Helper()
	if r.Class != record.ClassUser || r.Reason != record.ReasonOutputInvalid {
		t.Errorf("%q as %s: %s, %s", file, typ, r.Class, r.Reason)
	}
	if !strings.HasPrefix(r.Message, `output "o" is declared `+typ+": ") || !utf8.ValidString(r.Message) || len(r.Message) > maxMessage || strings.Contains(r.Message, "%!") && !bytes.Contains(file, []byte("%")) {
		t.Errorf("%q as %s: %q", file, typ, r.Message)
	}
	if value, err := types.ParseString(typ); err == nil && !types.HasArtifact(value) && typ != "string" && !json.Valid(file) && len(bytes.TrimSpace(file)) > 0 &&
		!strings.Contains(r.Message, "the file contains ") {
		t.Errorf("%q as %s: the content is missing in %q", file, typ, r.Message)
	}
	texts := []string{secret, secret[:min(len(secret), mask.MinLine)]}
	for line := range strings.Lines(secret) {
		if line = strings.TrimSpace(line); len(line) >= mask.MinLine {
			texts = append(texts, line)
		}
	}
	for _, s := range texts {
		if len(strings.TrimSpace(s)) < mask.MinLine || !utf8.ValidString(s) {
			continue
		}
		for _, form := range []string{s, strconv.Quote(s), strconv.QuoteToASCII(s)} {
			if form = strings.TrimSuffix(strings.TrimPrefix(form, `"`), `"`); len(form) >= mask.MinLine && strings.Contains(r.Message, form) {
				t.Errorf("%q as %s: %q of the secret %q is in %q", file, typ, form, secret, r.Message)
			}
		}
	}
}

// comesBack checks that a value is what the file contains, and that it is the same if it is read again.
func comesBack(t *testing.T, value json.RawMessage, typ string, file []byte) {
	t.Helper()
	want, err := types.ParseString(typ)
	if err != nil {
		t.Fatal(err)
	}
	if again, why := parseValue(append(value, '\n'), want); why != "" || string(again) != string(value) {
		t.Errorf("%q as %s gives %s, which gives %s (%s)", file, typ, value, again, why)
	}
	var stored any
	if err := decodeExact(value, &stored); err != nil {
		t.Fatalf("%q as %s gives %s: %v", file, typ, value, err)
	}
	var written any = strings.TrimSuffix(strings.TrimSuffix(string(file), "\n"), "\r")
	if typ != "string" || isJSONString(file) {
		if err := decodeExact(file, &written); err != nil {
			t.Fatalf("%q as %s gives %s, but: %v", file, typ, value, err)
		}
	}
	if typ == "set(string)" {
		written = sortedTexts(written)
		stored = sortedTexts(stored)
	}
	if !reflect.DeepEqual(exact(written), exact(stored)) {
		t.Errorf("%q as %s gives %s", file, typ, value)
	}
}

func decodeExact(data []byte, v *any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(v)
}

func sortedTexts(v any) any {
	var out []string
	for _, one := range v.([]any) {
		out = append(out, one.(string))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// exact replaces the numbers of a value by texts that are equal if the numbers are, and if both are floats or neither is. It
// leaves out attributes that are null.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		r, ok := new(big.Rat).SetString(v.String())
		return fmt.Sprint(r, ok, strings.ContainsAny(v.String(), ".eE"))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = exact(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			if v[k] != nil {
				out[k] = exact(v[k])
			}
		}
		return out
	}
	return v
}
