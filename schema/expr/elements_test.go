package expr_test

import (
	"strings"
	"testing"
)

// Equal numbers and equal strings with different texts, side by side: each stays what it was.
func TestEqualElementsKeepTheirTexts(t *testing.T) {
	refs := map[string]string{
		"step.a.m": `[1,1.0]`, "step.a.n": `[1.0,1]`, "step.a.o": `{"a":1,"b":1.0}`, "step.a.i": `1`, "step.a.f": `1.0`,
		"step.a.s": `["` + nfd + `","","` + nfc + `"]`, "step.a.e": `[]`,
	}
	for _, c := range []struct{ text, want string }{
		{`distinct(step.a.m)`, `[1]`},
		{`distinct(step.a.n)`, `[1.0]`},
		{`distinct(step.a.s)`, `["D",""]`},
		{`distinct(toset(step.a.n))`, `[1.0]`},
		{`toset(step.a.m)`, `[1]`},
		{`toset(step.a.n)`, `[1.0]`},
		{`tolist(step.a.m)`, `[1,1.0]`},
		{`tolist(toset(step.a.n))`, `[1.0]`},
		{`tomap(step.a.o)`, `{"a":1,"b":1.0}`},
		{`chunklist(step.a.m, 1)`, `[[1],[1.0]]`},
		{`chunklist(step.a.m, step.a.f)`, `[[1],[1.0]]`},
		{`slice(step.a.m, 0, step.a.f)`, `[1]`},
		{`element(step.a.n, step.a.f)`, `1`},
		{`element(step.a.m, step.a.f)`, `1.0`},
		{`sort([step.a.s[0], null])`, ``},
		{`compact([step.a.s[0], null])`, `["D"]`},
		{`coalescelist(step.a.e, step.a.m)`, `[1,1.0]`},
		{`coalescelist([], null, step.a.n)`, ``},
		{`setunion([step.a.i], [step.a.f])`, `[1]`},
		{`setunion([step.a.f], [step.a.i])`, `[1.0]`},
		{`setunion(step.a.e, step.a.n, [2])`, `[1.0,2]`},
		{`setintersection([step.a.i], [step.a.f])`, `[1]`},
		{`setintersection(toset(step.a.n), [step.a.i, 2])`, `[1.0]`},
		{`setsubtract([step.a.i, 5], [step.a.f])`, `[5]`},
		{`setsubtract([step.a.f, 5], [5])`, `[1.0]`},
		{`setunion([{ a = step.a.i }], [{ a = step.a.f }])`, `[{"a":1}]`},
		{`sort(step.a.s)`, `["","D","C"]`},
		{`sort(reverse(step.a.s))`, `["","C","D"]`},
		{`compact(step.a.s)`, `["D","C"]`},
		{`sort(toset([step.a.s[0]]))`, `["D"]`},
	} {
		got, err := asJSON(c.text, refs)
		want := strings.NewReplacer("D", nfd, "C", nfc).Replace(c.want)
		if (err != nil) != (c.want == "") || got != want {
			t.Errorf("%s is %+q and %v, want %+q", c.text, got, err, want)
		}
	}
}
