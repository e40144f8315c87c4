package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// OpEqual and OpNotEqual compare values by their content: [1] equals a list that holds 1. HCL's own operators never treat a tuple
// as equal to a list.
var (
	OpEqual    = &hclsyntax.Operation{Impl: equalFunc(true), Type: cty.Bool}
	OpNotEqual = &hclsyntax.Operation{Impl: equalFunc(false), Type: cty.Bool}
)

// Comparing returns the operator that pipec evaluates instead of op.
func Comparing(op *hclsyntax.Operation) *hclsyntax.Operation {
	switch op {
	case hclsyntax.OpEqual:
		return OpEqual
	case hclsyntax.OpNotEqual:
		return OpNotEqual
	}
	return calculating(op)
}

// UseOperators replaces the operators in an expression by those that pipec evaluates.
func UseOperators(e hclsyntax.Expression) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.BinaryOpExpr:
			n.Op = Comparing(n.Op)
		case *hclsyntax.UnaryOpExpr:
			n.Op = Comparing(n.Op)
		}
		return nil
	})
}

func equalFunc(want bool) function.Function {
	operand := function.Parameter{Name: "a", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}
	return function.New(&function.Spec{
		Params: []function.Parameter{operand, operand},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() || !args[1].IsWhollyKnown() {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(equal(args[0], args[1]) == want), nil
		},
	})
}

func equal(a, b cty.Value) bool {
	switch {
	case a.IsNull() || b.IsNull():
		return a.IsNull() && b.IsNull()
	case a.Type().Equals(b.Type()):
		return a.RawEquals(b)
	case isSequence(a.Type()) && isSequence(b.Type()):
		x, y := a.AsValueSlice(), b.AsValueSlice()
		for i := range x {
			if i >= len(y) || !equal(x[i], y[i]) {
				return false
			}
		}
		return len(x) == len(y)
	case isMapping(a.Type()) && isMapping(b.Type()):
		x, y := a.AsValueMap(), b.AsValueMap()
		for k := range x {
			if other, ok := y[k]; !ok || !equal(x[k], other) {
				return false
			}
		}
		return len(x) == len(y)
	}
	return false
}

func isSequence(t cty.Type) bool { return t.IsListType() || t.IsTupleType() }

func isMapping(t cty.Type) bool { return t.IsMapType() || t.IsObjectType() }
