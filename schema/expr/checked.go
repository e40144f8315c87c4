package expr

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/types"
)

// limit returns why a call with these arguments is rejected: it has no result, or one that would take too much memory or
// time. The arguments are known, not null and not marked.
type limit func(args []cty.Value) error

// checked returns f with what go-cty leaves to its callers. Its numbers are finite, limit is called before it, which may be
// nil, and a panic is an error without a stack. If all arguments are known, then so is its result.
func checked(f function.Function, limit limit) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      passing(f.Params()),
		VarParam:    passed(f.VarParam()),
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := f.ReturnTypeForValues(args)
			return t, plainly(err)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if err := acceptable(args, limit); err != nil {
				return cty.NilVal, err
			}
			v, err := f.Call(args)
			switch {
			case err != nil:
				return cty.NilVal, plainly(err)
			case !v.IsKnown():
				return v, unexplained(args)
			case v.Type() == cty.Number && !types.Finite(v):
				return cty.NilVal, errDigits
			}
			return v, nil
		},
	})
}

// passing returns parameters that accept everything, so that the function inside is the one that decides.
func passing(params []function.Parameter) []function.Parameter {
	for i := range params {
		params[i] = *passed(&params[i])
	}
	return params
}

func passed(p *function.Parameter) *function.Parameter {
	if p == nil {
		return nil
	}
	out := *p
	out.AllowNull, out.AllowUnknown, out.AllowDynamicType, out.AllowMarked = true, true, true, true
	return &out
}

// acceptable checks arguments that are known. It leaves nulls to the function.
func acceptable(args []cty.Value, limit limit) error {
	plain := make([]cty.Value, len(args))
	readable := true
	for i, arg := range args {
		plain[i], _ = arg.Unmark()
		known := plain[i].IsKnown() && !plain[i].IsNull()
		if known && plain[i].Type() == cty.Number && !types.Finite(plain[i]) {
			return function.NewArgErrorf(i, "the number is infinite, or takes too many digits")
		}
		readable = readable && known
	}
	if limit == nil || !readable {
		return nil
	}
	return limit(plain)
}

// unexplained returns an error if a call whose result is unknown had only known arguments.
func unexplained(args []cty.Value) error {
	for _, arg := range args {
		if arg, _ := arg.UnmarkDeep(); !arg.IsWhollyKnown() {
			return nil
		}
	}
	return errors.New("there is no result for these arguments: one of them is null, or contains a null")
}

// errPanic replaces the text of a panic, which has a stack and may have values.
var errPanic = errors.New("these arguments lead to an internal error of pipec: please report the call")

// plainly replaces the error of a panic.
func plainly(err error) error {
	var panicked function.PanicError
	if errors.As(err, &panicked) {
		return errPanic
	}
	return err
}
