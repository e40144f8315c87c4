package expr_test

import (
	"testing"

	"pipec.dev/pipec/schema/expr"
)

func TestLiteralJSON(t *testing.T) {
	for _, c := range []struct {
		src, want string
		no        bool
	}{
		{src: `1.0`, want: `1.0`},
		{src: `(-1.50)`, want: `-1.50`},
		{src: `1e5`, want: `1e5`},
		{src: `007`, want: `7`},
		{src: `null`, want: `null`},
		{src: `[1.0, true, "x",]`, want: `[1.0,true,"x"]`},
		{src: `{ a = 1.0, "b c" = [], (d) = 1 }`, no: true},
		{src: `{ a = 1.0, "b c" : {}, "` + nfd + `" = "` + nfd + `" }`, want: `{"a":1.0,"b c":{},"` + nfd + `":"` + nfd + `"}`},
		{src: `{ ` + nfd + ` = 1, ` + nfc + ` = 2 }`, want: `{"` + nfd + `":1,"` + nfc + `":2}`},
		{src: `"a\n\t\"\\\u0065\U00000301$${x}%%{"`, want: `"a\n\t\"\\` + nfd + `${x}%{"`},
		{src: `"a${1}"`, want: `"a1"`},
		{src: `""`, want: `""`},
		{src: `-"1"`, no: true},
		{src: `1 + 1`, no: true},
		{src: `upper("a")`, no: true},
		{src: `var.x`, no: true},
		{src: `!true`, no: true},
	} {
		node, err := expr.Parse(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		got, ok := expr.LiteralJSON(node, []byte(c.src))
		if ok == c.no || ok && string(got) != c.want {
			t.Errorf("%s is %s, %v; want %s", c.src, got, ok, c.want)
		}
	}
}
