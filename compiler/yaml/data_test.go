package yaml

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// TestEncode writes values that are hard to write, and reads them back.
func TestEncode(t *testing.T) {
	s := cty.StringVal
	for _, v := range []cty.Value{
		s(""), s("~"), s("null"), s("yes"), s("No"), s("1"), s("1_000"), s("0o7"), s("010"), s("1:20"), s(".inf"), s("2026-01-02"), s("a: b"), s("# c"), s(" a "), s("two\nlines\n"), s("\n\n"),
		s("\x00\x1b"), s("\u2028😀"), s("<<"), s("="), s("---"), s("- a"), s("*a"), s("&a"), s("!a"), s("%a"), s("@a"), s("`a"), s("'a"), s("\"a"), s("${x}"), s("a\t"), s("true"), s("TRUE"),
		cty.NullVal(cty.DynamicPseudoType), cty.True, cty.Zero, cty.MustParseNumberVal("1e400"), cty.MustParseNumberVal("-0.5"), cty.MustParseNumberVal("123456789012345678901234567890.5"),
		cty.EmptyTupleVal, cty.EmptyObjectVal, cty.TupleVal([]cty.Value{cty.EmptyTupleVal, cty.TupleVal([]cty.Value{s("a")})}),
	} {
		for _, v := range []cty.Value{v, cty.TupleVal([]cty.Value{v, v}), cty.ObjectVal(map[string]cty.Value{"k": v, "l": cty.ObjectVal(map[string]cty.Value{"m": v})})} {
			data, err := Encode(v)
			if err != nil {
				t.Errorf("%#v: %v", v, err)
				continue
			}
			if got, err := Decode(data); err != nil || !got.RawEquals(v) {
				t.Errorf("%#v is written as %q, and read as %#v, %v", v, data, got, err)
			}
		}
	}
}

// FuzzDecode reads any text. What is read can be written, and read back.
func FuzzDecode(f *testing.F) {
	for _, src := range []string{"a: 1", "[1, a, {b: c}]", "a: &x [1]\nb: *x\n<<: {c: 1}", "- |\n  ${x}\n", `"\ud83d\ude00"`, "? a\n: b", "!!str 1", "1e999999999", strings.Repeat("[", 300)} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<16 {
			return
		}
		v, err := Decode([]byte(src))
		if err != nil {
			return
		}
		data, err := Encode(v)
		if err != nil {
			t.Fatalf("%q is %#v, which can't be written: %v", src, v, err)
		}
		if again, err := Decode(data); err != nil || !again.RawEquals(v) {
			t.Fatalf("%q is %#v, which is written as %q, and read as %#v, %v", src, v, data, again, err)
		}
	})
}
