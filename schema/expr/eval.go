package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Lookup returns the value of a reference such as "step.a.x", "step.a.status", "param.p", "run.name", "input.x" or "output.y".
// The outputs of a skipped step are null.
type Lookup func(ref string) (cty.Value, error)

// Eval evaluates e with the values that lookup returns for e.Refs. The result is wholly known and finite; anything else, and
// a panic, is an error. It may have marks, which types.ToJSON, types.Convert and types.Text understand. The error contains the
// expression but no value.
func (e *Expr) Eval(lookup Lookup) (v cty.Value, err error) {
	defer e.caught(&v, &err)
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
	if err := e.read(vars, lookup); err != nil {
		return cty.NilVal, err
	}
	numberForms(node, Source([]byte(e.Text)))
	collecting(node, vars)
	choosing(node)
	node = carrying(node)
	ctx := &hcl.EvalContext{Variables: vars.values(), Functions: Functions()}
	v, diags := node.Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, e.failed(diags[0], node, ctx)
	}
	if err := e.known(v, node, ctx); err != nil {
		return cty.NilVal, err
	}
	return v, nil
}

// read puts the values of all references into vars.
func (e *Expr) read(vars *tree, lookup Lookup) error {
	values := make([]cty.Value, len(e.Refs))
	for i, ref := range e.Refs {
		var err error
		if values[i], err = lookup(ref); err != nil {
			return err
		}
	}
	types.Distinguish(values)
	for i, ref := range e.Refs {
		v := values[i]
		r, ok := StepRef(ref)
		switch {
		case !ok || r.Instance == "" && r.Attr != "":
			vars.set(ref, v)
		case r.Instance == All:
			vars.collect(r, v)
		case r.Instance == "":
			vars.child("step").child(r.Step).leaf = v
		default:
			key := record.Key(r.Instance).Text()
			if r.Instance == EachKey {
				k, err := lookup(EachKey)
				if err != nil {
					return err
				}
				key = Key(k)
			}
			at := vars.child("step").child(r.Step).child(key)
			if r.Attr == "" {
				at.leaf = v
			} else {
				at.child(r.Attr).leaf = v
			}
		}
	}
	return nil
}

// Key returns the text of each.key by which an instance is named. It is in the Unicode form NFC, as the program's references are.
func Key(v cty.Value) string {
	v, _ = v.Unmark()
	switch {
	case v.IsNull() || !v.IsKnown():
		return ""
	case v.Type() == cty.Number:
		return v.AsBigFloat().Text('f', -1)
	case v.Type() == cty.String:
		return v.AsString()
	}
	return ""
}

// collected is the name of the variable with the instances that [*] collects. It is not a valid name in the language.
const collected = "step[*]"

// collecting has [*] behind a step read its instances, which over a map HCL itself would take for one value.
func collecting(e hclsyntax.Expression, vars *tree) {
	all := vars.children[collected]
	if all == nil {
		return
	}
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		splat, ok := n.(*hclsyntax.SplatExpr)
		if !ok {
			return nil
		}
		source, ok := Bare(splat.Source).(*hclsyntax.ScopeTraversalExpr)
		if !ok || len(source.Traversal) != 2 || source.Traversal.RootName() != "step" {
			return nil
		}
		step, ok := source.Traversal[1].(hcl.TraverseAttr)
		if ok && all.children[step.Name] != nil {
			splat.Source = &hclsyntax.ScopeTraversalExpr{
				Traversal: hcl.Traversal{hcl.TraverseRoot{Name: collected}, step}, SrcRange: source.SrcRange,
			}
		}
		return nil
	})
}

func sentence(d *hcl.Diagnostic) string {
	if d.Detail != "" {
		return d.Detail
	}
	return d.Summary
}

// Parse parses an expression that GateExpression accepts.
func Parse(text string) (hclsyntax.Expression, error) {
	src := []byte(text + "\n")
	if r := GateExpression(src); r != nil {
		return nil, r
	}
	node, diags := hclsyntax.ParseExpression(src, "expression", hcl.InitialPos)
	if diags.HasErrors() {
		return nil, errors.New(sentence(diags[0]))
	}
	UseOperators(node)
	return node, nil
}

// NewConst encodes a value for run time.
func NewConst(v cty.Value) (Const, error) {
	data, err := types.ToJSON(v)
	return Const{Type: types.String(v.Type()), Value: data}, err
}

// Decode returns the value.
func (c Const) Decode() (cty.Value, error) {
	t, err := types.ParseString(c.Type)
	if err != nil {
		return cty.NilVal, err
	}
	return types.Restore(c.Value, t)
}

// tree builds nested objects from dotted names.
type tree struct {
	leaf     cty.Value // stands for all that is beneath
	children map[string]*tree
	// rows are of a step whose instances are collected: one for each instance, of the outputs that are read.
	rows []map[string]cty.Value
}

func newTree() *tree { return &tree{leaf: cty.NilVal, children: map[string]*tree{}} }

// child is the part named, made where it is not there.
func (t *tree) child(name string) *tree {
	child, ok := t.children[name]
	if !ok {
		child = newTree()
		t.children[name] = child
	}
	return child
}

func (t *tree) set(name string, v cty.Value) {
	for part := range strings.SplitSeq(name, ".") {
		t = t.child(part)
	}
	t.leaf = v
}

// collect puts the values of an output, of all instances of a step, where [*] finds them. Where the step was skipped it
// is null.
func (t *tree) collect(r Ref, v cty.Value) {
	at := t.child(collected).child(r.Step)
	switch {
	case v.IsNull():
		at.leaf = cty.NullVal(cty.List(cty.DynamicPseudoType)) // a splat makes an empty list of any other null
		return
	case r.Attr == "":
		at.leaf = v
		return
	}
	v, _ = v.Unmark() // a list carries no forms
	elems := v.AsValueSlice()
	if at.rows == nil {
		at.rows = make([]map[string]cty.Value, len(elems))
	}
	for i := range min(len(elems), len(at.rows)) {
		if at.rows[i] == nil {
			at.rows[i] = map[string]cty.Value{}
		}
		at.rows[i][r.Attr] = elems[i]
	}
}

func (t *tree) value() cty.Value {
	switch {
	case t.leaf != cty.NilVal:
		return t.leaf
	case t.rows != nil:
		out := make([]cty.Value, len(t.rows))
		for i, row := range t.rows {
			out[i] = cty.ObjectVal(row)
		}
		return cty.TupleVal(out)
	}
	return cty.ObjectVal(t.values())
}

func (t *tree) values() map[string]cty.Value {
	out := make(map[string]cty.Value, len(t.children))
	for name, child := range t.children {
		out[name] = child.value()
	}
	return out
}
