package program_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/program/programtest"
)

// whole is a program with steps in all of its places.
const whole = `{"version":1,"pipeline":"p","params":[{"name":"a","type":"number","default":1}],
	"steps":[{"name":"a","retry":{"attempts":1},"grace":"1s","pod":{"a":[1,2]}},{"name":"b","retry":{"attempts":1},"grace":"1s"}],
	"finally":[{"name":"c","retry":{"attempts":1},"grace":"1s"}],"on_failure":"stop","max_parallel":3,
	"called":[{"name":"q","steps":[{"name":"d","retry":{"attempts":1},"grace":"1s"}],"finally":[{"name":"e","retry":{"attempts":1},"grace":"1s"}],"on_failure":"stop","max_parallel":1}]}` + "\n"

// DecodeStream returns what Decode returns, and calls its function with each step once.
func TestDecodeStream(t *testing.T) {
	encodings := []string{whole, strings.Replace(whole, `"finally":[{"name":"c","retry":{"attempts":1},"grace":"1s"}]`, `"finally":null`, 1)}
	for _, data := range programtest.Golden(t, "../../testdata/programs") {
		encodings = append(encodings, string(data))
	}
	for _, text := range encodings {
		want, err := program.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		got, err := program.DecodeStream(strings.NewReader(text), func(*program.Step) { steps++ })
		if err != nil {
			t.Errorf("%.100s: %v", text, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%.100s: the programs differ", text)
		}
		if all := len(want.Every()); steps != all {
			t.Errorf("%.100s: %d calls for %d steps", text, steps, all)
		}
	}
}

func TestDecodeStreamErrors(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "{", `{"version":1`, `{"version":1,"steps":{}}`, `{"version":1,"steps":[1]}`, `{"version":1,"steps":[{}`, `{"version":2}`, `{}`,
		`{"version":1} {}`, `{"version":1}x`, `{"version":"1"}`, `{"version":1,"called":[[]]}`, `{"version":1,"steps":[{"name":`,
	} {
		if p, err := program.DecodeStream(strings.NewReader(text), func(*program.Step) {}); err == nil {
			t.Errorf("%q: %+v, want an error", text, p)
		}
	}
}

// FuzzDecodeStream checks that DecodeStream panics on no input, and accepts nothing that Decode rejects.
func FuzzDecodeStream(f *testing.F) {
	f.Add([]byte(whole))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := program.DecodeStream(bytes.NewReader(data), func(*program.Step) {}); err != nil {
			return
		}
		if _, err := program.Decode(data); err != nil {
			t.Errorf("%q: Decode returns %v", data, err)
		}
	})
}
