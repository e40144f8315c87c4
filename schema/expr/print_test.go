package expr_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

func TestPrint(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`1+2*3`, `1 + (2 * 3)`},
		{`(1+2)*3`, `(1 + 2) * 3`},
		{`-1`, `-1`},
		{`- (-1)`, `-(-1)`},
		{`!a.b`, `!a.b`},
		{"[1,\n 2, # two\n ]", `[1, 2]`},
		{"{a=1\n\"b\": 2, (c) = 3, \"x${d}\" = 4}", `{ "a" = 1, "b" = 2, (c) = 3, "x${d}" = 4 }`},
		{`{}`, `{}`},
		{`"a\tb\"c$${x}%%{y}é"`, `"a\tb\"c$${x}%%{y}é"`},
		{`"${a}"`, `a`},
		{`"x${ a }y"`, `"x${a}y"`},
		{"<<EOT\nline ${a}\nEOT", `"line ${a}\n"`},
		{"<<-EOT\n    line\n      two\n  EOT", `"line\n  two\n"`},
		{`f(a,b...)`, `f(a, b...)`},
		{`a ? b : c ? d : e`, `a ? b : (c ? d : e)`},
		{`step.x[*].y`, `step.x[*].y`},
		{`step.x.*.y`, `step.x[*].y`},
		{`(step.x[*].y)[1]`, `(step.x[*].y)[1]`},
		{`a[0].b["k"][c]`, `a[0].b["k"][c]`},
		{`[for k,v in m: v if k!="a"]`, `[for k, v in m : v if k != "a"]`},
		{`{for v in m: v=>v...}`, `{for v in m : v => v...}`},
		{`"%{ for x in y }<${x}>%{ endfor }"`, `"%{ for x in y }<${x}>%{ endfor }"`},
		{`"%{ if x }yes%{ else }no%{ endif }"`, `x ? "yes" : "no"`},
		{`null`, `null`},
		{`1.50`, `1.5`},
		{`1e3`, `1000`},
		{`a.b-c`, `a.b-c`},
		{`a . b - c`, `a.b - c`},
		{`(f(x)).y`, `f(x).y`},
		{`"a".b`, `("a").b`},
	} {
		got := print(t, c.in)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
		}
		if again := print(t, got); again != got {
			t.Errorf("%s prints as %s, and that as %s", c.in, got, again)
		}
	}
}

func print(t *testing.T, src string) string {
	t.Helper()
	node, diags := hclsyntax.ParseExpression([]byte(src+"\n"), "", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %v", src, diags)
	}
	text, err := expr.Print(node)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return text
}

// FuzzPrint holds that what parses prints to a text that parses and prints the same, and that the gate keeps the parser
// safe.
func FuzzPrint(f *testing.F) {
	for _, s := range []string{`1+2`, `"a${b}c"`, `[for x in y : x]`, `a ? b : c`, `f(1)...`, "<<E\nx\nE\n", `-!-a`, `{a=b}`, `"%{if a}b%{endif}"`, `x[*].y[0]`, `/*`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		node, err := expr.Parse(src)
		if err != nil {
			return
		}
		text, err := expr.Print(node)
		if err != nil {
			return
		}
		again, err := expr.Parse(text)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", src, text, err)
		}
		if second, _ := expr.Print(again); second != text {
			t.Fatalf("%q prints as %q, and that as %q", src, text, second)
		}
	})
}
