package expr

import (
	"math"
	"math/big"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// powFunc is exact for whole numbers, as multiplication is. The standard library's uses float64, which has 53 bits: pow(3, 40) would be
// another number than 3 multiplied 40 times.
func powFunc() function.Function {
	inner := stdlib.PowFunc
	return function.New(&function.Spec{
		Description: inner.Description(),
		Params:      inner.Params(),
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			base, power, ok := wholePower(args)
			if !ok {
				return inner.Call(args)
			}
			exact := new(big.Int).Exp(base, new(big.Int).Abs(power), nil)
			result := new(big.Float).SetPrec(512).SetInt(exact) // as all numbers of cty
			if power.Sign() < 0 {
				return opDivide.Impl.Call([]cty.Value{cty.NumberIntVal(1), cty.NumberVal(result)})
			}
			return cty.NumberVal(result), nil
		},
	})
}

// wholePower returns the arguments of pow if both are whole numbers, and the result is not too large.
func wholePower(args []cty.Value) (base, power *big.Int, ok bool) {
	b, p := args[0].AsBigFloat(), args[1].AsBigFloat()
	if !b.IsInt() || !p.IsInt() || b.MantExp(nil) > maxPowerBits || p.MantExp(nil) > 32 {
		return nil, nil, false
	}
	base, _ = b.Int(nil)
	power, _ = p.Int(nil)
	return base, power, float64(base.BitLen())*math.Abs(float64(power.Int64())) <= 2*maxPowerBits
}

// maxPowerBits is the size of the largest number with 1024 digits.
const maxPowerBits = 3402
