package expr

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// concatFunc joins lists of different types into a tuple, and leaves the elements as they are.
func concatFunc() function.Function {
	inner := stdlib.ConcatFunc
	return function.New(&function.Spec{
		Description: inner.Description(),
		VarParam:    inner.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if mixed(args) {
				args = tuples(args)
			}
			return inner.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if mixed(args) {
				args = tuples(args)
			}
			return inner.Call(args)
		},
	})
}

// mixed reports whether the arguments are lists of different types.
func mixed(args []cty.Value) bool {
	same := true
	for _, arg := range args {
		if !arg.Type().IsListType() {
			return false
		}
		same = same && arg.Type().Equals(args[0].Type())
	}
	return !same
}

// tuples converts known lists to tuples. Otherwise the result depends on how many elements a list will have.
func tuples(args []cty.Value) []cty.Value {
	out := make([]cty.Value, len(args))
	for i, arg := range args {
		v, marks := arg.Unmark()
		switch {
		case v.IsNull():
			return args // the function reports it
		case !v.IsKnown():
			return []cty.Value{cty.DynamicVal}
		}
		out[i] = cty.TupleVal(v.AsValueSlice()).WithMarks(marks)
	}
	return out
}

// lookupFunc returns the default as it is, also if the elements of the map have another type.
func lookupFunc() function.Function {
	inner := stdlib.LookupFunc
	params := inner.Params()
	params[2].AllowNull, params[2].AllowDynamicType = true, true
	missing := func(args []cty.Value) bool {
		m, _ := args[0].Unmark()
		key, _ := args[1].Unmark()
		return m.Type().IsMapType() && m.IsKnown() && key.IsKnown() && !m.IsNull() && !key.IsNull() && m.HasIndex(key).False()
	}
	return function.New(&function.Spec{
		Description: inner.Description(),
		Params:      params,
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if args[2].IsNull() && (t.IsMapType() || t.IsObjectType()) {
				return cty.DynamicPseudoType, nil
			}
			if t.IsMapType() && !args[2].Type().Equals(t.ElementType()) {
				return cty.DynamicPseudoType, nil
			}
			return inner.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			switch m, marks := args[0].Unmark(); {
			case args[2].IsNull():
				return lookupOrNull(args), nil
			case missing(args):
				_, keyMarks := args[1].Unmark()
				return args[2].WithMarks(marks, keyMarks), nil
			case t == cty.DynamicPseudoType && m.Type().IsMapType():
				key, keyMarks := args[1].Unmark()
				return m.Index(key).WithMarks(marks, keyMarks), nil
			}
			return inner.Call(args)
		},
	})
}

// lookupOrNull is lookup with null as the default.
func lookupOrNull(args []cty.Value) cty.Value {
	m, marks := args[0].Unmark()
	key, keyMarks := args[1].Unmark()
	v := args[2]
	switch t := m.Type(); {
	case t.IsObjectType() && t.HasAttribute(key.AsString()):
		v = m.GetAttr(key.AsString())
	case t.IsMapType() && m.HasIndex(key).True():
		v = m.Index(key)
	}
	return v.WithMarks(marks, keyMarks)
}

// mergeFunc leaves out nulls without a type.
func mergeFunc() function.Function {
	inner := stdlib.MergeFunc
	typed := func(args []cty.Value) []cty.Value {
		return slices.DeleteFunc(slices.Clone(args), func(v cty.Value) bool { return v.IsNull() && v.Type() == cty.DynamicPseudoType })
	}
	return function.New(&function.Spec{
		Description: inner.Description(),
		VarParam:    inner.VarParam(),
		Type:        func(args []cty.Value) (cty.Type, error) { return inner.ReturnTypeForValues(typed(args)) },
		Impl:        func(args []cty.Value, _ cty.Type) (cty.Value, error) { return inner.Call(typed(args)) },
	})
}
