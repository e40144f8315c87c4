package lower

import (
	"encoding/json"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// json encodes a constant. cty.NilVal has no encoding.
func (l *lowerer) json(v cty.Value) json.RawMessage {
	if v == cty.NilVal {
		return nil
	}
	if v.IsNull() { // also of an artifact, which types.ToJSON does not encode
		return json.RawMessage("null")
	}
	data, err := types.ToJSON(v)
	if err != nil {
		l.fail(err)
	}
	return data
}

func (l *lowerer) optional(v *model.Value) *program.Value {
	if v == nil {
		return nil
	}
	out := l.value(v)
	return &out
}

// value translates a value into a constant, a single reference, or a kept expression.
func (l *lowerer) value(v *model.Value) program.Value {
	if v.Const != cty.NilVal {
		return program.Value{Const: l.json(v.Written)}
	}
	if ref, soft, ok := singleReference(v); ok {
		return program.Value{Ref: ref, Soft: soft}
	}
	return program.Value{Expr: l.expr(v)}
}

// singleReference returns the reference of which an expression consists. For input.x.path and output.y.path that includes the
// path.
func singleReference(v *model.Value) (ref string, soft, ok bool) {
	switch node := expr.Bare(v.Node).(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if root := node.Traversal.RootName(); len(v.Uses) == 1 && (root == "input" || root == "output") {
			if text := evaluate.Text(node.Traversal); text == v.Uses[0].Ref || text == v.Uses[0].Ref+".path" {
				return text, v.Uses[0].Soft, true
			}
			return "", false, false
		}
	case *hclsyntax.SplatExpr, *hclsyntax.RelativeTraversalExpr:
	default:
		return "", false, false
	}
	if len(v.Uses) > 2 { // a reference, and each.key inside it
		return "", false, false
	}
	text, err := expr.Print(expr.Bare(v.Node))
	if err != nil {
		return "", false, false
	}
	for _, u := range v.Uses {
		if u.Ref == text && !u.Const {
			return text, u.Soft, true
		}
	}
	return "", false, false
}

// expr translates an expression that is kept: its text, its references, and the values of variables and locals that it reads.
func (l *lowerer) expr(v *model.Value) *expr.Expr {
	text, err := expr.PrintFrom(v.Node, l.source)
	if err != nil {
		l.fail(err)
	}
	out := &expr.Expr{Text: text, Type: types.String(v.Type)}
	refs, soft := map[string]bool{}, map[string]bool{}
	for i := range v.Uses {
		u := &v.Uses[i]
		if u.Const {
			l.constant(out, u)
			continue
		}
		soft[u.Ref] = u.Soft && (!refs[u.Ref] || soft[u.Ref]) // one hard use makes the reference hard
		refs[u.Ref] = true
	}
	out.Refs = evaluate.Names(refs)
	for _, ref := range out.Refs {
		if soft[ref] {
			out.Soft = append(out.Soft, ref)
		}
	}
	return out
}

// constant adds the value of a variable or a local to an expression.
func (l *lowerer) constant(out *expr.Expr, u *model.Use) {
	if _, there := out.Scope[u.Ref]; there {
		return
	}
	c, err := expr.NewConst(u.Value)
	if err != nil {
		l.fail(err)
	}
	if out.Scope == nil {
		out.Scope = map[string]expr.Const{}
	}
	out.Scope[u.Ref] = c
}

// lasts adds to the program the outputs of earlier runs that a value reads.
func (l *lowerer) lasts(uses []model.Use) {
	for _, u := range uses {
		if u.LastSuccess == nil {
			continue
		}
		one := program.LastSuccess{Pipeline: u.LastSuccess.Pipeline, Output: u.LastSuccess.Output, Type: types.String(u.LastSuccess.Type), Required: !u.Soft}
		i := slices.IndexFunc(l.program.LastSuccess, func(other program.LastSuccess) bool { return other.Ref() == one.Ref() })
		if i < 0 {
			l.program.LastSuccess = append(l.program.LastSuccess, one)
			continue
		}
		l.program.LastSuccess[i].Required = l.program.LastSuccess[i].Required || one.Required
	}
}
