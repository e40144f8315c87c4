package expr_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// numbers are expressions without references, with the JSON of their values.
var numbers = []struct{ text, want string }{
	{`1.0`, `1.0`},
	{`[1.0, 1, -1.0, - 1.0, -0.0, 1.50, 1e5, 1E+5, 007.0, 0.1]`, `[1.0,1,-1.0,-1.0,-0.0,1.50,1e5,1E+5,7,0.1]`},
	{`{ a = 1, b = 1.0, c = [1.00] }`, `{"a":1,"b":1.0,"c":[1.00]}`},
	{`1.0 + 1`, `2`},
	{`-(-1.0)`, `1`},
	{`[1.0 == 1, 1.0 < 2]`, `[true,true]`},
	{`true ? 1.0 : 1`, `1.0`},
	{`false ? 1.0 : 1`, `1`},
	{`concat([1], [1.0])`, `[1,1.0]`},
	{`flatten([[1.0], [1]])`, `[1.0,1]`},
	{`distinct([1, 1.0])`, `[1]`},
	{`distinct([1.0, 1])`, `[1.0]`},
	{`reverse([1, 1.0])`, `[1.0,1]`},
	{`values({ a = 1, b = 1.0 })`, `[1,1.0]`},
	{`element([1, 1.0], 0)`, `1`},
	{`element([1, 1.0], 1.0)`, `1.0`},
	{`slice([1.0, 1], 1, 2)`, `[1]`},
	{`[for x in [1, 1.0] : x]`, `[1,1.0]`},
	{`{ for k, v in { a = 1, b = 1.0 } : k => v }`, `{"a":1,"b":1.0}`},
	{`{ for x in [1, 1.0] : "k" => x... }`, `{"k":[1,1.0]}`},
	{`tolist([1, 1.0])`, `[1,1.0]`},
	{`tomap({ a = 1, b = 1.0 })`, `{"a":1,"b":1.0}`},
	{`toset([1.0, 2])`, `[1.0,2]`},
	{`setunion([1.0], [2, 3.50])`, `[1.0,2,3.50]`},
	{`merge({ a = 1 }, { b = 1.0 })`, `{"a":1,"b":1.0}`},
	{`lookup({ a = 1, b = 1.0 }, "a", 1.0)`, `1`},
	{`lookup({ a = 1 }, "b", 1.0)`, `1.0`},
	{`zipmap(["a", "b"], [1, 1.0])`, `{"a":1,"b":1.0}`},
	{`chunklist([1, 1.0], 1)`, `[[1],[1.0]]`},
	{`setproduct([1.0], [2, 3])`, `[[1.0,2],[1.0,3]]`},
	{`coalescelist([], [1, 1.0])`, `[1,1.0]`},
	{`coalesce(null, 1.0)`, `1.0`},
	{`try(1, 1.0)`, `1`},
	{`max(0.5, 1.0)`, `1.0`},
	{`[{ a = 1 }, { a = 1.0 }][*].a`, `[1,1.0]`},
	{`range(1.0, 3.0)`, `[1,2]`},
	{`abs(-1.0)`, `1`},
	{`[true ? [1, 1.0] : [], 1]`, `[[1,1.0],1]`},
	{`"${1.0} ${1} ${1.50} ${1e-7}"`, `"1.0 1 1.50 1e-7"`},
	{`"%{ for x in [1, 1.0] }${x},%{ endfor }"`, `"1,1.0,"`},
	{`tostring(-1.0)`, `"-1.0"`},
	{`[tostring(1.0), tonumber("1.0"), tonumber(1.0)]`, `["1.0",1,1.0]`},
	{`jsonencode([1, 1.0, { a = 1e20 }])`, `"[1,1.0,{\"a\":1e20}]"`},
	{`jsondecode("[1, 1.0, 2.50]")`, `[1,1.0,2.50]`},
	{`format("%s %v %q %5s|%-5v|%s", 1.0, 2.50, 1.0, 1.0, 1.0, 1)`, `"1.0 2.50 \"1.0\"   1.0|1.0  |1"`},
	{`format("%d %.2f %03d %x %e %g", 1.0, 1.0, 1.0, 255.0, 1.0, 1.50)`, `"1 1.00 001 ff 1.000000e+00 1.5"`},
	{`format("%v %v", [1.0, 1], { a = 1.0 })`, `"[1.0,1] {\"a\":1.0}"`},
	{`format("%#v %+d", 1.0, 1.0)`, `"1 +1"`},
	{`format("%s-%s", [1.0, 1]...)`, `"1.0-1"`},
	{`format("%%s %s", 1.0)`, `"%s 1.0"`},
	{`join(",", [for x in jsondecode("[1.0, 1, \"a\"]") : x])`, `"1.0,1,a"`},
	{`[for x in [1.0, 2] : replace(jsondecode(jsonencode(x)), "0", "-")]`, `["1.-","2"]`},
	{`[pow(3, 40), pow(10, -2), pow(2, 0), pow(-2, 3), pow(10, 400) / pow(10, 399), pow(2, 1.0)]`, `[12157665459056928801,0.01,1,-8,10,2]`},
	{`formatlist("%s-%s", [1.0, 1], 2.50)`, `["1.0-2.50","1-2.50"]`},
}

// TestLiteralNumbers evaluates literals as expressions at run time and as constants.
func TestLiteralNumbers(t *testing.T) {
	for _, c := range numbers {
		if got, err := asJSON(c.text, nil); err != nil || got != c.want {
			t.Errorf("at run time, %s is %s, want %s (%v)", c.text, got, c.want, err)
		}
		if got, err := asJSON(`[`+c.text+`, step.a.x][0]`, map[string]string{"step.a.x": "1"}); err != nil || got != c.want {
			t.Errorf("beside 1, %s is %s, want %s (%v)", c.text, got, c.want, err)
		}
		node, err := expr.Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		v, ok := expr.Written(node, expr.Source([]byte(c.text)), &hcl.EvalContext{Functions: expr.Functions()})
		if !ok {
			t.Errorf("%s has no value", c.text)
			continue
		}
		if got, err := types.ToJSON(v); err != nil || string(got) != c.want {
			t.Errorf("as a constant, %s is %s, want %s (%v)", c.text, got, c.want, err)
		}
	}
}

// TestPrintFrom prints numbers with the text of their source, except for operands, of which only the value matters.
func TestPrintFrom(t *testing.T) {
	for text, want := range map[string]string{
		`{ a=1.0, b = -0.0 }`:       `{ "a" = 1.0, "b" = -0.0 }`,
		`[ 1e5, 1E+5, 1, 2.50, 1 ]`: `[1e5, 1E+5, 1, 2.50, 1]`,
		`x + 1.0`:                   `x + 1`,
		`x ? 1.0 : (2.50)`:          `x ? 1.0 : 2.50`,
		`f(1.0)[1.0]`:               `f(1.0)[1]`,
		`"a${1.0}"`:                 `"a${1.0}"`,
		`0.1 > 1e-7`:                `0.1 > 1e-07`,
	} {
		node, err := expr.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := expr.PrintFrom(node, expr.Source([]byte(text))); err != nil || got != want {
			t.Errorf("%s is printed as %s, want %s (%v)", text, got, want, err)
		}
	}
}
