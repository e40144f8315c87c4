package expr

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/types"
)

// The arithmetic operators of pipec. Their results are finite, and have no more digits than a number in a value may have:
// otherwise one multiplication after another could use up the memory.
var (
	opAdd      = calculation(hclsyntax.OpAdd)
	opSubtract = calculation(hclsyntax.OpSubtract)
	opMultiply = calculation(hclsyntax.OpMultiply)
	opDivide   = calculation(hclsyntax.OpDivide)
	opModulo   = calculation(hclsyntax.OpModulo)
	opNegate   = calculation(hclsyntax.OpNegate)
)

// OpAnd and OpOr are the logical operators of pipec. HCL takes a null for false.
var (
	OpAnd = logical(hclsyntax.OpLogicalAnd)
	OpOr  = logical(hclsyntax.OpLogicalOr)
)

// logical returns an operator for which a null is neither true nor false: it is an error unless the other operand decides.
func logical(op *hclsyntax.Operation) *hclsyntax.Operation {
	return &hclsyntax.Operation{Type: op.Type, Impl: op.Impl, ShortCircuit: func(l, r cty.Value, lDiags, rDiags hcl.Diagnostics) (cty.Value, hcl.Diagnostics) {
		null := l.IsNull() || r.IsNull()
		if l.IsNull() && r.IsNull() {
			return cty.NilVal, nil // the operator reports the null
		}
		if l.IsNull() {
			l = cty.UnknownVal(cty.Bool)
		}
		if r.IsNull() {
			r = cty.UnknownVal(cty.Bool)
		}
		v, diags := op.ShortCircuit(l, r, lDiags, rDiags)
		if null && v != cty.NilVal && !v.IsKnown() && (l.IsKnown() || r.IsKnown()) {
			return cty.NilVal, nil
		}
		return v, diags
	}}
}

// calculating returns the operator that pipec evaluates instead of an arithmetic or a logical operator.
func calculating(op *hclsyntax.Operation) *hclsyntax.Operation {
	switch op {
	case hclsyntax.OpAdd:
		return opAdd
	case hclsyntax.OpSubtract:
		return opSubtract
	case hclsyntax.OpMultiply:
		return opMultiply
	case hclsyntax.OpDivide:
		return opDivide
	case hclsyntax.OpModulo:
		return opModulo
	case hclsyntax.OpNegate:
		return opNegate
	case hclsyntax.OpLogicalAnd:
		return OpAnd
	case hclsyntax.OpLogicalOr:
		return OpOr
	}
	return op
}

var (
	errZero   = errors.New("division by zero")
	errSmall  = errors.New("the result is too close to 0")
	errDigits = errors.New("the result is infinite, or takes too many digits")
)

func calculation(op *hclsyntax.Operation) *hclsyntax.Operation {
	params := op.Impl.Params()
	divides := op == hclsyntax.OpDivide || op == hclsyntax.OpModulo
	return &hclsyntax.Operation{Type: op.Type, Impl: function.New(&function.Spec{
		Params:       params,
		Type:         function.StaticReturnType(op.Type),
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, arg := range args {
				if !types.Finite(arg) {
					return cty.NilVal, errDigits
				}
			}
			if divides && args[1].AsBigFloat().Sign() == 0 {
				return cty.NilVal, errZero
			}
			v, err := op.Impl.Call(args)
			if err == nil && !types.Finite(v) {
				err = errDigits
			}
			return v, err
		},
	})}
}
