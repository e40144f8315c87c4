package yaml

import (
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestSurrogates reads JSON's escapes of characters outside of Unicode's first plane. Text without double quotes stays as it is.
func TestSurrogates(t *testing.T) {
	for src, want := range map[string]string{
		`"\ud83d\ude00"`: "😀", `"a\uD83D\uDE00\ud83d\ude01b"`: "a😀😁b", `'\ud83d\ude00'`: `\ud83d\ude00`, `\uD83D\uDe00`: `\uD83D\uDe00`,
		"|-\n  \\uDBFF\\uDFFF": `\uDBFF\uDFFF`, `"\uDBFF\uDFFF"`: "\U0010ffff", "\"\ue000 \\ud83d\\ude00\"": "\ue000 😀", `"\ue001\ud83d\ude00"`: "\ue001😀",
		`"\\ud83d\\ude00"`: `\ud83d\ude00`, "\"two\n  lines \\ud83d\\ude00\"": "two lines 😀",
	} {
		v, err := Decode([]byte(src))
		if err != nil || v.Type() != cty.String || v.AsString() != want {
			t.Errorf("%s: %#v, %v, expected %q", src, v, err, want)
		}
	}
	for _, src := range []string{`"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d \ude00"`, `"\\\ud83d"`, `"\ud83d\\ude00"`} {
		if v, err := Decode([]byte(src)); err == nil {
			t.Errorf("%s: %#v", src, v)
		}
	}
}

// TestPositions checks that a surrogate pair moves no position.
func TestPositions(t *testing.T) {
	p := newPlaces("x", []byte(`["\ud83d\ude00", "${x}"]`))
	node, fault := p.document()
	if fault != nil {
		t.Fatal(fault)
	}
	first, second := p.find(node.Content[0]), p.find(node.Content[1])
	if first.end != 15 || second.start != 17 || len(first.segments) != 1 {
		t.Errorf("%+v, %+v", first, second)
	}
}
