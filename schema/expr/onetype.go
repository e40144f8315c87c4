package expr

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// ofOneType rejects elements of several types, which go-cty would convert to strings.
func ofOneType(to cty.Type) function.Function {
	inner := stdlib.MakeToFunc(to)
	same := func(from, t cty.Type) error {
		if !changes(from, t) {
			return nil
		}
		elems, _ := elementTypes(from)
		if from.IsObjectType() {
			for _, name := range slices.Sorted(maps.Keys(from.AttributeTypes())) {
				elems = append(elems, from.AttributeType(name))
			}
		}
		if _, err := oneType(elems); err != nil {
			return function.NewArgError(0, err)
		}
		return function.NewArgErrorf(0, "the elements must have one type")
	}
	return function.New(&function.Spec{
		Description: inner.Description(),
		Params:      inner.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := inner.ReturnTypeForValues(args)
			if err == nil {
				err = same(args[0].Type(), t)
			}
			return t, err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := inner.Call(args)
			if err == nil {
				err = same(args[0].Type(), v.Type())
			}
			return v, err
		},
	})
}

// productFunc rejects lists with elements of several types.
func productFunc() function.Function {
	inner := stdlib.SetProductFunc
	return function.New(&function.Spec{
		Description: inner.Description(),
		VarParam:    inner.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			for i, arg := range args {
				if elems, ok := elementTypes(arg.Type()); ok {
					if _, err := oneType(elems); err != nil {
						return cty.NilType, function.NewArgError(i, err)
					}
				}
			}
			return inner.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return inner.Call(args) },
	})
}
