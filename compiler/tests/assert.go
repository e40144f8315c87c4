package tests

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// assertion is one `assert` block.
type assertion struct{ condition, message hclsyntax.Expression }

// assert reads an assertion.
func (r *reader) assert(t *Test, b *decode.Block) {
	names := scope{project: r.project, roots: t.pipeline.assertRoots(), steps: t.pipeline.steps}
	a := &assertion{}
	ok := true
	read := func(name string, want cty.Type) hclsyntax.Expression {
		e, isNode := b.Attr(name).(hclsyntax.Expression)
		if !isNode {
			return nil
		}
		got := t.expressions.check(e, names)
		if got == cty.NilType {
			ok = false
		} else if m := types.Assignable(got, want); m != nil && !(want == cty.String && evaluate.IsTemplate(e)) {
			r.project.Diags.Add(evaluate.Mismatch(e, got, want, m, r.project.Scope.Source))
			ok = false
		}
		return e
	}
	a.condition, a.message = read("condition", cty.Bool), read("error_message", cty.String)
	if ok && a.condition != nil {
		t.asserts = append(t.asserts, a)
	}
}

// Check returns what a test reports of a run: assertions that are false, or that can't be evaluated.
func (t *Test) Check(h *History) *diag.List {
	roots := t.pipeline.values(h)
	return collect(t.expressions.project, func() {
		for _, a := range t.asserts {
			t.assert(a, roots)
		}
	})
}

func (t *Test) assert(a *assertion, roots map[string]cty.Value) {
	v, ok := t.expressions.value(a.condition, roots)
	if !ok {
		return
	}
	v, _ = v.UnmarkDeep()
	at := a.condition.Range()
	v, err := types.Convert(v, cty.Bool)
	if err != nil {
		t.expressions.project.Diags.Add(diag.New("null-value", at, "the condition is not true or false: %v", err).WithDetail("%s", t.readings(a.condition, roots)))
		return
	}
	if v.True() {
		return
	}
	message := "the assertion is false"
	if a.message != nil {
		if m, ok := t.expressions.value(a.message, roots); ok && !m.IsNull() {
			m, _ = m.UnmarkDeep()
			if m, err := types.Convert(m, cty.String); err == nil {
				message = types.Text(m)
			}
		}
	}
	t.expressions.project.Diags.Add(diag.New("test-failed", at, "test %q: %s", t.Name, message).WithDetail("%s", t.readings(a.condition, roots)))
}

// readings lists the values of the references in a condition.
func (t *Test) readings(e hclsyntax.Expression, roots map[string]cty.Value) string {
	var lines []string
	seen := map[string]bool{}
	for _, ref := range e.Variables() {
		root := ref.RootName()
		if _, mine := roots[root]; !mine {
			continue
		}
		shown := append(hcl.Traversal{}, ref...)
		if root == wholeRoot {
			shown[0] = hcl.TraverseRoot{Name: "step"}
		}
		name := evaluate.Text(shown)
		if seen[name] {
			continue
		}
		seen[name] = true
		v, diags := ref.TraverseAbs(&hcl.EvalContext{Variables: roots})
		if diags.HasErrors() || !v.IsWhollyKnown() {
			continue
		}
		if len(ref) == 2 && v.Type().Equals(cty.EmptyObject) {
			lines = append(lines, fmt.Sprintf("  %s has no instances", name)) // an artifact has a longer address
			continue
		}
		lines = append(lines, fmt.Sprintf("  %s is %s", name, short(v)))
	}
	return strings.Join(lines, "\n")
}

// short shows a value on one line.
func short(v cty.Value) string {
	v, _ = v.UnmarkDeep()
	switch {
	case v.IsNull():
		return "null"
	case v.Type().Equals(cty.EmptyObject):
		return "an artifact"
	}
	data, err := types.ToJSON(v)
	if err != nil {
		return "not shown: " + err.Error()
	}
	return record.Clip(string(data), 200)
}
