package expr_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// odd returns the values that each function is called with, in every place. They are built for each call, because a
// function must not change its arguments.
func odd() []cty.Value {
	s, n, null := cty.StringVal, cty.NumberIntVal, cty.NullVal(cty.DynamicPseudoType)
	tuple, list := func(v ...cty.Value) cty.Value { return cty.TupleVal(v) }, func(v ...cty.Value) cty.Value { return cty.ListVal(v) }
	object := cty.ObjectVal(map[string]cty.Value{"a": n(1), "é": null})
	deep := s("x")
	for range 100 {
		deep = tuple(deep)
	}
	return []cty.Value{
		null, cty.NullVal(cty.String), cty.NullVal(cty.Number), cty.NullVal(cty.List(cty.String)), cty.NullVal(cty.Map(cty.Number)),
		cty.EmptyTupleVal, cty.EmptyObjectVal, cty.ListValEmpty(cty.String), cty.ListValEmpty(cty.DynamicPseudoType),
		cty.MapValEmpty(cty.Number), cty.SetValEmpty(cty.String), cty.SetValEmpty(cty.DynamicPseudoType),
		n(0), n(1), n(-1), n(2), cty.NumberFloatVal(0.5), cty.NumberFloatVal(-1.5), cty.NumberFloatVal(1e300), n(1 << 40),
		cty.PositiveInfinity, cty.NegativeInfinity,
		cty.True, cty.False,
		s(""), s("a"), s("1"), s("e\u0301\u200d👩‍👩‍👧"), s("\xff\x00"), s("a\nb\n"), s(strings.Repeat("a\n", 1<<15)),
		s("(a"), s("(?P<x>a)(b)"), s("(?P<x>a)|(?P<y>b)"), s("%1000000000d"), s("%z %s %d"), s("%[9]v"), s("%*d"), s("{"), s(`{"a":1,"a":2}`),
		s(`"\ud800"`), s("[1e999999999]"), s("\ufeff[null]"), s("a,a\n1,2"), s("a,b\n1"), s("2026-01-02T03:04:05Z"), s("'"), s("YYYYY"), s("1h"), s("1e999999999"),
		tuple(s("a"), n(1)), tuple(null), tuple(n(1), null), tuple(s("a"), tuple(s("b"), object)), list(s("a"), cty.NullVal(cty.String)), list(n(1), n(2)),
		cty.SetVal([]cty.Value{s("a"), s("b")}), cty.SetVal([]cty.Value{n(1)}), object, cty.MapVal(map[string]cty.Value{"a": n(1)}),
		cty.MapVal(map[string]cty.Value{"a": cty.NullVal(cty.String)}), deep, list(object), list(list(s("a")), list(s("b"))), tuple(cty.True, cty.NumberFloatVal(0.5)),
	}
}

// TestOddArguments calls every function with odd arguments in every place. Each call returns a known value or a plain error, in
// little time, and leaves its arguments alone.
func TestOddArguments(t *testing.T) {
	names := []string{"a", "b", "c"}
	for _, name := range slices.Sorted(maps.Keys(expr.Functions())) {
		f := expr.Functions()[name]
		least, most := len(f.Params()), len(f.Params())
		if f.VarParam() != nil {
			most = least + 2
		}
		for n := least; n <= min(most, len(names)); n++ {
			for _, spread := range []string{"", "..."} {
				if n == 0 && spread != "" || spread != "" && f.VarParam() == nil {
					continue
				}
				e := expr.Expr{Type: "any"}
				for _, arg := range names[:n] {
					e.Refs = append(e.Refs, "param."+arg)
				}
				e.Text = name + "(" + strings.Join(e.Refs, ", ") + spread + ")"
				t.Run(e.Text, func(t *testing.T) {
					t.Parallel()
					callWithOdd(t, &e, n)
				})
			}
		}
	}
}

func callWithOdd(t *testing.T, e *expr.Expr, n int) {
	all, fresh := odd(), odd()
	count := 1
	for range n {
		count *= len(all)
	}
	step := []int{1, 1, 3, 331}[n] // coprime to the count: every value is in every place, with many others
	if n > 1 && testing.Short() {
		step = []int{11, 997}[n-2]
	}
	for i := 0; i < count; i += step {
		args := make([]int, n)
		for k, rest := 0, i; k < n; k, rest = k+1, rest/len(all) {
			args[k] = rest % len(all)
		}
		start := time.Now()
		v, err := e.Eval(func(ref string) (cty.Value, error) {
			return all[args[strings.IndexByte("abc", ref[len("param.")])]], nil
		})
		text := func() string {
			var b strings.Builder
			for _, k := range args {
				fmt.Fprintf(&b, "\n  %.200s", types.Literal(fresh[k]))
			}
			return b.String()
		}
		switch took := time.Since(start); {
		case took > 5*time.Second:
			t.Errorf("%s takes %s with%s", e.Text, took, text())
		case err != nil && strange(err.Error()):
			t.Errorf("%s fails: %.300s\nwith%s", e.Text, err, text())
		case err == nil && !v.IsWhollyKnown():
			t.Errorf("%s is unknown with%s", e.Text, text())
		}
		for _, k := range args {
			if !all[k].RawEquals(fresh[k]) {
				t.Fatalf("%s changes its argument to %#v:%s", e.Text, all[k], text())
			}
		}
	}
}

// strange reports whether the text of an error isn't for users.
func strange(text string) bool {
	for _, word := range []string{"panic", "goroutine", "internal error", "is not known", "there is no result", "\n", "cty.", "%!", "bug"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
