package expr

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Lookup gives the value of a reference such as "step.a.x", "step.a.status", "param.p", "run.name", "input.x" or
// "output.y". Where a step was skipped, its outputs are null.
type Lookup func(ref string) (cty.Value, error)

// Eval evaluates e with the values that lookup gives for e.Refs. Its error says what failed in the words of the
// expression, and holds no value.
func (e *Expr) Eval(lookup Lookup) (cty.Value, error) {
	node, err := Parse(e.Text)
	if err != nil {
		return cty.NilVal, err
	}
	vars := newTree()
	for name, c := range e.Scope {
		v, err := c.Decode()
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s: %w", name, err)
		}
		vars.set(name, v)
	}
	for _, ref := range e.Refs {
		v, err := lookup(ref)
		if err != nil {
			return cty.NilVal, err
		}
		vars.set(ref, v)
	}
	v, diags := node.Value(&hcl.EvalContext{Variables: vars.values(), Functions: Functions()})
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("%s: %s", e.Text, sentence(diags[0]))
	}
	v, _ = v.UnmarkDeep()
	if !types.Finite(v) {
		return cty.NilVal, fmt.Errorf("%s: the value is infinite, as after a division by zero", e.Text)
	}
	return v, nil
}

func sentence(d *hcl.Diagnostic) string {
	if d.Detail != "" {
		return d.Detail
	}
	return d.Summary
}

// Parse reads the text of an expression, behind the gate.
func Parse(text string) (hclsyntax.Expression, error) {
	src := []byte(text + "\n")
	if r := GateExpression(src); r != nil {
		return nil, r
	}
	node, diags := hclsyntax.ParseExpression(src, "expression", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, errors.New(sentence(diags[0]))
	}
	comparing(node)
	return node, nil
}

// NewConst keeps a value for run time.
func NewConst(v cty.Value) (Const, error) {
	data, err := types.ToJSON(v)
	return Const{Type: types.String(v.Type()), Value: data}, err
}

// Decode gives the value back.
func (c Const) Decode() (cty.Value, error) {
	t, err := types.ParseString(c.Type)
	if err != nil {
		return cty.NilVal, err
	}
	return types.Restore(c.Value, t)
}

// tree builds nested objects from dotted names.
type tree struct {
	leaf     cty.Value
	children map[string]*tree
}

func newTree() *tree { return &tree{children: map[string]*tree{}} }

func (t *tree) set(name string, v cty.Value) {
	for part := range strings.SplitSeq(name, ".") {
		child, ok := t.children[part]
		if !ok {
			child = newTree()
			t.children[part] = child
		}
		t = child
	}
	t.leaf = v
}

func (t *tree) values() map[string]cty.Value {
	out := make(map[string]cty.Value, len(t.children))
	names := make([]string, 0, len(t.children))
	for name := range t.children {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		child := t.children[name]
		if len(child.children) == 0 {
			out[name] = child.leaf
		} else {
			out[name] = cty.ObjectVal(child.values())
		}
	}
	return out
}
