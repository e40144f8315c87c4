package expr_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// FuzzEval gives the runtime any expression as a program's JSON holds it, and any values for what it refers to: what the
// coordinator reads, it reads of a store. It fails or gives a value, the same each time, that can be written and read back.
func FuzzEval(f *testing.F) {
	for _, s := range [][2]string{
		{`{"text":"step.a.n + 1","refs":["step.a.n"],"type":"number"}`, `{"step.a.n":1}`},
		{`{"text":"\"x ${var.y} ${param.p}\"","scope":{"var.y":{"type":"string","value":"v"}},"refs":["param.p"],"type":"string"}`, `{"param.p":null}`},
		{`{"text":"sum(step.a[*].n)","refs":["step.a[*].n"],"type":"number"}`, `{"step.a[*].n":[1,2,3]}`},
		{`{"text":"step.a[each.key].n","refs":["each.key","step.a[each.key].n"],"type":"any"}`, `{"each.key":"k","step.a[each.key].n":{"b":true}}`},
		{`{"text":"step.a[\"k.l\"].n","refs":["step.a[\"k.l\"].n"],"type":"any"}`, `{"step.a[\"k.l\"].n":"x"}`},
		{`{"text":"coalesce(step.a.n, 3) / 0","refs":["step.a.n"],"soft":["step.a.n"],"type":"number"}`, `{"step.a.n":null}`},
		{`{"text":"try(step.a.o.x, [for k, v in step.a.o : \"${k}=${v}\" if v != null])","refs":["step.a.o"],"type":"any"}`, `{"step.a.o":{"b":1}}`},
		{`{"text":"jsondecode(step.a.s)","refs":["step.a.s"],"type":"any"}`, `{"step.a.s":"[1e999,{\"a\":null}]"}`},
		{`{"text":"var.m[input.k]","scope":{"var.m":{"type":"map(set(number))","value":{"a":[1,1]}}},"refs":["input.k"],"type":"set(number)"}`, `{"input.k":"a"}`},
		{`{"text":"step.a.status == \"succeeded\" ? 1 : 2","refs":["step.a.status","step.a.x.y","step"],"type":"number"}`, `{"step.a.status":"failed"}`},
	} {
		f.Add([]byte(s[0]), []byte(s[1]))
	}
	f.Fuzz(func(t *testing.T, encoded, values []byte) {
		var e expr.Expr
		var given map[string]json.RawMessage
		if len(encoded) > 4096 || json.Unmarshal(encoded, &e) != nil || json.Unmarshal(values, &given) != nil || grows(e.Text) {
			return
		}
		lookup := func(ref string) (cty.Value, error) {
			data, ok := given[ref]
			if !ok {
				return cty.NilVal, errors.New("there is no " + ref)
			}
			return types.FromJSON(data, cty.DynamicPseudoType)
		}
		v, err := e.Eval(lookup)
		again, errAgain := e.Eval(lookup)
		if (err == nil) != (errAgain == nil) || err == nil && !again.RawEquals(v) {
			t.Fatalf("%s gives %#v, %v, and then %#v, %v", e.Text, v, err, again, errAgain)
		}
		if err != nil {
			return
		}
		c, err := expr.NewConst(v)
		if err != nil {
			return // a capsule, or what has no JSON
		}
		if _, err := c.Decode(); err != nil {
			t.Fatalf("%s gives %#v, which is written as %s of type %s and can't be read back: %v", e.Text, v, c.Value, c.Type, err)
		}
	})
}

// FuzzWritten evaluates any expression of constants with the texts of its numbers. That succeeds where it does without them, and
// changes no value except for these texts.
func FuzzWritten(f *testing.F) {
	for _, text := range []string{
		`1.0`, `-0.0`, `{ a = [1.0, 1, 1.00], b = 1e20 }`, `"${1.0}-${[for x in [2.50, 2.5] : x][0]}"`, `jsonencode({ "é" = 1.0 })`, `jsondecode("[1.0, 1e5]")[0]`,
		`format("%s %v %d %5.1f", 1.0, [1.0], 2.0, 1e3)`, `formatlist("%s", [1.0, 1], 2.0)`, `max(1.0, 1)`, `distinct([1, 1.0])`, `toset([1.0, 1])`, `tostring(1.0)`,
		`merge({ a = 1 }, { a = 1.0 })`, `element([1.0, 2], 3.0)`, `true ? 1.0 : 1`, `setproduct([1.0], [1])`, `-(1.0)`, `try(1.0 / 0, 1e0)`, `concat([1.0], [1])...`,
		`chunklist([1.0, 1], 1.0)`, `zipmap(["a"], [1.0])`, `[{ a = 1.0 }][*].a`, `{ for x in ["a"] : x => 1.0... }`, `coalescelist([], [1.0])`, `range(1.0, 3.0)`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2048 || grows(text) && strings.Contains(text, "00") {
			return
		}
		node, err := expr.Parse(text)
		if err != nil {
			return
		}
		ctx := &hcl.EvalContext{Functions: expr.Functions()}
		plain, diags := node.Value(ctx)
		if diags.HasErrors() || !plain.IsWhollyKnown() || !types.Finite(plain) {
			return
		}
		if _, err := expr.Print(node); err != nil {
			return
		}
		v, ok := expr.Written(node, expr.Source([]byte(text)), ctx)
		if !ok {
			t.Fatalf("%s can't be evaluated with the texts of its numbers", text)
		}
		if _, err := types.ToJSON(v); err != nil {
			if _, err := types.ToJSON(plain); err == nil {
				t.Fatalf("%s gives %#v, which has no JSON", text, v)
			}
		}
		if again, diags := node.Value(ctx); diags.HasErrors() || !again.RawEquals(plain) {
			t.Fatalf("%s has been changed", text)
		}
		if strings.ContainsAny(text, `"?<`) || strings.Contains(text, "tostring") || strings.Contains(text, "jsonencode") {
			return // the texts are part of the value
		}
		if !types.Computed(v).RawEquals(plain) {
			t.Fatalf("%s gives %#v without the texts, and %#v with them", text, plain, v)
		}
	})
}

// grows reports whether a text calls a function that can return values as large as the memory.
func grows(text string) bool {
	for _, name := range []string{"range", "indent", "format", "setproduct"} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}
