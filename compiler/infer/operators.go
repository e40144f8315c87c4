package infer

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// operandType returns the type of both sides of an operator; cty.NilType for == and !=, which accept any type.
func operandType(op *hclsyntax.Operation) cty.Type {
	switch op {
	case expr.OpAnd, expr.OpOr:
		return cty.Bool
	case expr.OpEqual, expr.OpNotEqual:
		return cty.NilType
	}
	return cty.Number
}

func (w *walker) binary(e *hclsyntax.BinaryOpExpr) cty.Type {
	e.Op = expr.Comparing(e.Op) // expressions with a type are evaluated next
	l, r := w.typ(e.LHS), w.typ(e.RHS)
	if want := operandType(e.Op); want != cty.NilType {
		left, right := w.operand(e.LHS, l, want), w.operand(e.RHS, r, want)
		if !left || !right {
			return cty.NilType
		}
		return e.Op.Type
	}
	if l == cty.NilType || r == cty.NilType {
		return cty.NilType
	}
	if types.HasArtifact(l) && isNull(e.RHS) || types.HasArtifact(r) && isNull(e.LHS) {
		return cty.Bool // true if the artifact exists
	}
	if types.HasArtifact(l) || types.HasArtifact(r) {
		return w.fault("type-mismatch", e.Range(), "artifacts can't be compared")
	}
	if !w.chosen(e.LHS, e.RHS) || !w.chosen(e.RHS, e.LHS) {
		return cty.NilType
	}
	if _, ok := unify(l, r); !ok {
		return w.valueFault("type-mismatch", e.Range(), "%s and %s are never equal", types.Phrase(l), types.Phrase(r))
	}
	return cty.Bool
}

// operand checks that t is the type that the operator expects of e.
func (w *walker) operand(e hclsyntax.Expression, t, want cty.Type) bool {
	switch t {
	case cty.NilType:
		return false
	case want, cty.DynamicPseudoType:
		if isNull(e) {
			w.valueFault("null-value", e.Range(), "expected %s, found null", types.String(want))
			return false
		}
		return true
	}
	d := diag.New("type-mismatch", e.Range(), "expected %s, found %s", types.Phrase(want), types.Phrase(t))
	if m := types.Assignable(t, want); m != nil && m.Hint != "" {
		d = d.WithSuggestion("%s", m.Hint)
	}
	w.ofValue(d)
	return false
}

// chosen reports a comparison with a string that the other side can never be.
func (w *walker) chosen(ref, with hclsyntax.Expression) bool {
	r, ok := expr.Bare(ref).(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return true
	}
	choices := w.scope.Choices(r.Traversal)
	text, at, ok := literalString(expr.Bare(with))
	if choices == nil || !ok || slices.Contains(choices, text) {
		return true
	}
	d := diag.New("invalid-value", at, "%s can never be %q", traversalText(r.Traversal), text).
		WithDetail("It is one of %s.", quotedList(choices)).DidYouMean(text, choices)
	if s := synonym(text); slices.Contains(choices, s) {
		d = d.WithSuggestion("did you mean %q?", s)
	}
	w.diags.Add(d)
	return false
}

// synonym returns the word of this language for a status that other systems call text.
func synonym(text string) string {
	switch strings.ToLower(text) {
	case "success", "successful", "ok", "done", "complete", "completed", "passed", "cached":
		return "succeeded"
	case "failure", "fail", "error", "errored":
		return "failed"
	case "canceled", "cancel", "aborted":
		return "cancelled"
	case "timeout", "timedout", "timed-out":
		return "timed_out"
	case "skip", "omitted":
		return "skipped"
	}
	return ""
}

func isNull(e hclsyntax.Expression) bool {
	lit, ok := expr.Bare(e).(*hclsyntax.LiteralValueExpr)
	return ok && lit.Val.IsNull()
}

func quotedList(items []string) string {
	out := ""
	for i, item := range items {
		if i > 0 {
			out += ", "
		}
		out += `"` + item + `"`
	}
	return out
}

func literalString(e hclsyntax.Expression) (string, hcl.Range, bool) {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", hcl.Range{}, false
	}
	v, _ := t.Value(nil)
	return v.AsString(), e.Range(), true
}

func (w *walker) unary(e *hclsyntax.UnaryOpExpr) cty.Type {
	want := cty.Number
	if e.Op == hclsyntax.OpLogicalNot {
		want = cty.Bool
	}
	if !w.operand(e.Val, w.typ(e.Val), want) {
		return cty.NilType
	}
	return want
}

func (w *walker) conditional(e *hclsyntax.ConditionalExpr, text bool) cty.Type {
	good := w.operand(e.Condition, w.typ(e.Condition), cty.Bool)
	a, b := w.node(e.TrueResult, text), w.node(e.FalseResult, text)
	if !good || a == cty.NilType || b == cty.NilType {
		return cty.NilType
	}
	switch {
	case isNull(e.FalseResult):
		return a
	case isNull(e.TrueResult):
		return b
	}
	t, ok := unify(a, b)
	if ok && (types.HasArtifact(a) || types.HasArtifact(b)) {
		ok = a.Equals(b) // artifacts are not converted to another kind in a conditional
	}
	switch {
	case ok:
		return t
	case w.severalTypes(e.TrueResult, a, b) || w.severalTypes(e.FalseResult, b, a):
		return cty.NilType
	}
	d := diag.New("type-mismatch", e.FalseResult.Range(), "both results must have one type: expected %s, found %s", types.Phrase(a), types.Phrase(b)).
		WithRelated(e.TrueResult.Range(), "this is %s", types.Phrase(a))
	if a.IsObjectType() && b.IsObjectType() && !sameAttributes(a, b) {
		d = d.WithSuggestion("write the same attributes in both, with null for those that one lacks")
	}
	return w.ofValue(asText(asText(d, e.TrueResult, a, b), e.FalseResult, b, a))
}

// sameAttributes reports whether two types of objects have attributes with the same names.
func sameAttributes(a, b cty.Type) bool {
	for name := range a.AttributeTypes() {
		if !b.HasAttribute(name) {
			return false
		}
	}
	return len(a.AttributeTypes()) == len(b.AttributeTypes())
}

// severalTypes reports a list that is written out, of type t, whose elements have several types, if it is a result of a
// conditional whose other result is a list of another length. Both results together are a list with elements of one type then.
func (w *walker) severalTypes(e hclsyntax.Expression, t, other cty.Type) bool {
	list, ok := expr.Bare(e).(*hclsyntax.TupleConsExpr)
	if !ok || !t.IsTupleType() || !isSequence(other) || other.IsTupleType() && other.Length() == t.Length() {
		return false
	}
	elems := t.TupleElementTypes()
	for i := 1; i < len(elems); i++ {
		if _, ok := unify(elems[0], elems[i]); !ok {
			d := diag.New("type-mismatch", list.Exprs[i].Range(), "the elements of this list must have one type: expected %s, found %s", types.Phrase(elems[0]), types.Phrase(elems[i])).
				WithDetail("The other result of the conditional has another length, so that the value is a list and not a tuple.").
				WithRelated(list.Exprs[0].Range(), "this is %s", types.Phrase(elems[0]))
			w.ofValue(asText(asText(d, list.Exprs[0], elems[0], elems[i]), list.Exprs[i], elems[i], elems[0]))
			return true
		}
	}
	return false
}

// asText adds to d how e, a number or a bool of type t, is written as text, if the other value is a string.
func asText(d diag.Diagnostic, e hclsyntax.Expression, t, other cty.Type) diag.Diagnostic {
	if other != cty.String || t != cty.Number && t != cty.Bool {
		return d
	}
	switch x := expr.Bare(e).(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return d.WithSuggestion("write tostring(%s)", traversalText(x.Traversal))
	case *hclsyntax.LiteralValueExpr:
		if text, err := types.ToJSON(x.Val); err == nil {
			return d.WithSuggestion("write %q", text)
		}
	}
	return d.WithSuggestion("convert it with tostring(…)")
}
