package expr

import (
	"errors"

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

// calculating returns the operator that pipec evaluates instead of an arithmetic operator.
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
	}
	return op
}

var (
	errZero   = errors.New("division by zero")
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
