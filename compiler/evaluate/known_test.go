package evaluate

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
)

// faulty is an expression whose evaluation panics.
type faulty struct{ hclsyntax.Expression }

func (faulty) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	panic("the text contains hunter2")
}

// project returns a project in which three functions misbehave.
func project(diags *diag.List) *Project {
	w := New(".", nil, map[string][]byte{}, diags)
	any := []function.Parameter{{Name: "x", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}}
	add := func(name string, impl func() (cty.Value, error)) {
		w.Scope.functions[name] = function.New(&function.Spec{
			Params: any, Type: function.StaticReturnType(cty.Bool),
			Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return impl() },
		})
	}
	add("vague", func() (cty.Value, error) { return cty.UnknownVal(cty.Bool), nil })
	add("bomb", func() (cty.Value, error) { panic("a fault") })
	w.Scope.functions["hidden"] = function.New(&function.Spec{
		Params: any, Type: function.StaticReturnType(cty.List(cty.Bool)),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
			return cty.ListVal([]cty.Value{cty.True, cty.UnknownVal(cty.Bool)}), nil
		},
	})
	return w
}

// TestKnown checks that no value leaves evaluation that is not wholly known, and that a panic becomes a diagnostic at the
// expression.
func TestKnown(t *testing.T) {
	for _, c := range []struct{ text, code, summary, at string }{
		{`vague(null)`, "evaluation", "the value is not known: an argument of vague is null", "null"},
		{`[1, vague("a")]`, "evaluation", "the value of vague is not known for these arguments", `vague("a")`},
		{`{ a = [vague(null) ? 1 : 2] }`, "evaluation", "the value is not known: an argument of vague is null", "null"},
		{`[for x in ["a", null] : x if vague(x)]`, "evaluation", "the value of vague is not known for these arguments", "vague(x)"},
		{`hidden("a")`, "evaluation", "the value of hidden is not known for these arguments", `hidden("a")`},
		{`"${bomb(1)}"`, "internal", "internal error of pipec while calling bomb", "bomb(1)"},
	} {
		var diags diag.List
		node, hclDiags := hclsyntax.ParseExpression([]byte(c.text), "a", hcl.InitialPos)
		if hclDiags.HasErrors() {
			t.Fatal(hclDiags)
		}
		v, ok := project(&diags).Constants.Const(node)
		if ok || v != cty.NilVal || diags.Len() != 1 {
			t.Errorf("%s = %#v, %d diagnostics", c.text, v, diags.Len())
			continue
		}
		d := diags.Sorted()[0]
		if at := c.text[d.Range.Start.Byte:d.Range.End.Byte]; d.Code != c.code || d.Summary != c.summary || at != c.at {
			t.Errorf("%s: %s: %s at %s\n%s", c.text, d.Code, d.Summary, at, d.Detail)
		}
	}
}

// TestPanic checks that a panic during an evaluation is a diagnostic, which doesn't quote a sensitive value.
func TestPanic(t *testing.T) {
	node, _ := hclsyntax.ParseExpression([]byte(`local.x + 1`), "a", hcl.InitialPos)
	for _, secret := range []bool{false, true} {
		var diags diag.List
		w := project(&diags)
		v := cty.NumberIntVal(1)
		if secret {
			v = v.Mark(sensitive{})
		}
		w.Values.Locals["x"] = &Name{Address: "local.x", state: done, constant: newConstant(v)}
		if v, ok := w.Constants.Value(faulty{node}); ok || diags.Len() != 1 {
			t.Fatalf("%#v, %d diagnostics", v, diags.Len())
		}
		d := diags.Sorted()[0]
		if d.Code != "internal" || d.Range != node.Range() || strings.Contains(d.Detail, "hunter2") == secret {
			t.Errorf("%s at %v: %s\n%s", d.Code, d.Range, d.Summary, d.Detail)
		}
		if !strings.Contains(d.Detail, "compiler/evaluate/known_test.go:") {
			t.Errorf("the detail does not name the line that panicked: %s", d.Detail)
		}
	}
}
