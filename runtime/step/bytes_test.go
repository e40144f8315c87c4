package step

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/types"
)

func scan(data []byte) string { return checkJSON(bufio.NewReader(bytes.NewReader(data))) }

func agree(t rapid.TB, data []byte) {
	t.Helper()
	want := json.Valid(data) && utf8.Valid(data) && bytes.IndexByte(data, 0) < 0
	if why := scan(data); (why == "") != want {
		t.Fatalf("%q: %q, and encoding/json says %v", data, why, json.Valid(data))
	}
}

func TestCheckJSON(t *testing.T) {
	token := rapid.SampledFrom([]string{"{", "}", "[", "]", ",", ":", `"a"`, `"\u00e4"`, `"ä"`, `"`, "1", "-0.5e+7", "01", "1.", "e", "-", "true", "nul", "null", " ", "\n", "\\", "\x01", "\xff"})
	rapid.Check(t, func(rt *rapid.T) {
		agree(rt, []byte(strings.Join(rapid.SliceOfN(token, 0, 12).Draw(rt, "tokens"), "")))
	})
	agree(t, []byte(strings.Repeat("[", maxJSONDepth)+strings.Repeat("]", maxJSONDepth)))
	agree(t, []byte(strings.Repeat("[", maxJSONDepth+1)+strings.Repeat("]", maxJSONDepth+1)))
}

func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, -2.5e3, "x\u0041", true, null]}`, `[`, `"\x"`, "1 2", "\xef\xbb\xbf{}", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { agree(t, data) })
}

func FuzzCheckContent(f *testing.F) {
	for i, s := range []string{"\x93NUMPY\x01", "PAR1....PAR1", "a,b\n1,2\n", "\x89PNG\r\n\x1a\n", "<svg/>", `{"a":1}`, "ä"} {
		f.Add([]byte(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, k byte) {
		kind := types.Kinds[int(k)%len(types.Kinds)]
		_, why := checkContent(bytes.NewReader(data), int64(len(data)), kind)
		if !utf8.ValidString(clip(why)) {
			t.Errorf("%q", why)
		}
		if (kind == "text" || kind == "html") && (why == "") != (utf8.Valid(data) && bytes.IndexByte(data, 0) < 0) {
			t.Errorf("%q as text: %s", data, why)
		}
	})
}

func FuzzParseValue(f *testing.F) {
	f.Add([]byte("text\n"), "string")
	f.Add([]byte(`{"a":1}`), "object({a = number})")
	f.Add([]byte(`[[1,2],[3]]`), "list(list(number))")
	f.Fuzz(func(t *testing.T, data []byte, typ string) {
		want, err := types.ParseString(typ)
		if err != nil || types.HasArtifact(want) {
			want = cty.DynamicPseudoType
		}
		value, why := parseValue(data, want)
		if why != "" {
			return
		}
		if again, why := parseValue(value, want); why != "" || string(again) != string(value) {
			t.Errorf("%q gives %s, which gives %s (%s)", data, value, again, why)
		}
	})
}

func FuzzDecodeSpec(f *testing.F) {
	f.Add([]byte(`{"version":1,"root":"/x","attempt_dir":"a/b","program":{"name":"s","command":[{"const":"true"}],"retry":{}},"inputs":[{"name":"a","type":"number","value":1}]}`))
	f.Add([]byte(`{"version":1,"root":"/x","attempt_dir":"../b","program":{"python":"a:b"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if err != nil {
			return
		}
		_, _ = s.environment(&Deps{})
		if len(s.Program.Command) > 0 {
			_, _ = s.command()
		}
		if strings.Contains(s.AttemptDir, "..") && strings.Contains("/"+s.AttemptDir+"/", "/../") {
			t.Errorf("%q leads out", s.AttemptDir)
		}
	})
}

func FuzzIndexAndReport(f *testing.F) {
	f.Add([]byte(`{"a":"b"}`))
	f.Add([]byte(`{"reason":"Error","message":"x","formats":{"a":"npy"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if index, why := parseIndex(data); why == "" {
			for _, name := range index {
				if strings.ContainsRune(name, '/') || name == ".." {
					t.Errorf("%q leads out", name)
				}
			}
		}
		if r := parseReport(data); r == nil {
			t.Error("no report")
		}
	})
}
