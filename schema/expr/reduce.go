package expr

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// reduceFunc makes one value of all elements of a list: what results of instances are collected for. Those that
// the standard library lacks go by Terraform's names.
func reduceFunc(doc string, of cty.Type, start cty.Value, reduce func(sum, v cty.Value) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{{Name: "list", Type: cty.List(of)}},
		Type:        function.StaticReturnType(of),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			out := start
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if v.IsNull() {
					return cty.NilVal, function.NewArgErrorf(0, "an element is null")
				}
				var err error
				if out, err = reduce(out, v); err != nil {
					return cty.NilVal, err
				}
			}
			return out, nil
		},
	})
}

func sumFunc() function.Function {
	return reduceFunc("Returns the sum of a list's numbers, which is 0 for an empty list.", cty.Number, cty.Zero, func(sum, v cty.Value) (cty.Value, error) {
		return stdlib.Add(sum, v)
	})
}

func allTrueFunc() function.Function {
	return reduceFunc("Reports whether all elements of a list are true. It is true for an empty list.", cty.Bool, cty.True, func(all, v cty.Value) (cty.Value, error) {
		return all.And(v), nil
	})
}

func anyTrueFunc() function.Function {
	return reduceFunc("Reports whether at least one element of a list is true. It is false for an empty list.", cty.Bool, cty.False, func(some, v cty.Value) (cty.Value, error) {
		return some.Or(v), nil
	})
}
