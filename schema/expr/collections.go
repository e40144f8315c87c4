package expr

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"pipec.dev/pipec/schema/types"
)

// containsFunc compares as == does, also with null.
func containsFunc() function.Function {
	return function.New(&function.Spec{
		Description: stdlib.ContainsFunc.Description(),
		Params: []function.Parameter{
			{Name: "list", Type: cty.DynamicPseudoType},
			{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if _, ok := elementTypes(args[0].Type()); !ok {
				return cty.NilType, notElements(0, args[0].Type())
			}
			return cty.Bool, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			unknown := !args[1].IsWhollyKnown()
			for it := args[0].ElementIterator(); it.Next(); {
				switch _, e := it.Element(); {
				case unknown || !e.IsWhollyKnown():
					unknown = true
				case equal(e, args[1]):
					return cty.True, nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.False, nil
		},
	})
}

// distinctFunc keeps elements of several types as they are, and needs no time for the square of their number.
func distinctFunc() function.Function {
	return function.New(&function.Spec{
		Description: stdlib.DistinctFunc.Description(),
		Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type:        sequenceType,
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(t), nil
			}
			seen := map[string]cty.ValueSet{}
			var kept []cty.Value
			for it := args[0].ElementIterator(); it.Next(); {
				_, e := it.Element()
				name := types.String(e.Type())
				set, ok := seen[name]
				if !ok {
					set = cty.NewValueSet(e.Type())
					seen[name] = set
				}
				if !set.Has(e) {
					set.Add(e)
					kept = append(kept, e)
				}
			}
			return listOf(kept, t), nil
		},
	})
}

// sequenceType returns the type of some elements of a list: a list if all have one type, else any.
func sequenceType(args []cty.Value) (cty.Type, error) {
	t := args[0].Type()
	if t.IsListType() || t.IsSetType() {
		return cty.List(t.ElementType()), nil
	}
	if !t.IsTupleType() {
		return cty.NilType, notElements(0, t)
	}
	elems := t.TupleElementTypes()
	for _, e := range elems {
		if e == cty.DynamicPseudoType || !e.Equals(elems[0]) {
			return cty.DynamicPseudoType, nil
		}
	}
	if len(elems) == 0 {
		return cty.List(cty.DynamicPseudoType), nil
	}
	return cty.List(elems[0]), nil
}

// listOf returns values as a list of a type, or as they are if the type is any.
func listOf(values []cty.Value, t cty.Type) cty.Value {
	if t.IsListType() && len(values) == 0 {
		return cty.ListValEmpty(t.ElementType())
	}
	return sequence(values)
}

// chunklistFunc keeps elements of several types as they are.
func chunklistFunc() function.Function {
	params := stdlib.ChunklistFunc.Params()
	return function.New(&function.Spec{
		Description: stdlib.ChunklistFunc.Description(),
		Params: []function.Parameter{
			{Name: params[0].Name, Description: params[0].Description, Type: cty.DynamicPseudoType},
			{Name: params[1].Name, Description: params[1].Description, Type: cty.Number},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := sequenceType(args)
			if err != nil || !t.IsListType() {
				return t, err
			}
			return cty.List(t), nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			n, err := whole(1, args[1], 0, 1<<31)
			if err != nil {
				return cty.NilVal, err
			}
			rest := args[0].AsValueSlice()
			if n == 0 {
				n = int64(max(1, len(rest)))
			}
			var chunks []cty.Value
			for len(rest) > 0 {
				size := min(int(n), len(rest))
				chunks = append(chunks, sequence(rest[:size]))
				rest = rest[size:]
			}
			return listOf(chunks, t), nil
		},
	})
}

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
	missing := func(args []cty.Value) bool {
		m, _ := args[0].Unmark()
		key, _ := args[1].Unmark()
		return m.Type().IsMapType() && m.IsKnown() && key.IsKnown() && !m.IsNull() && !key.IsNull() && m.HasIndex(key).False()
	}
	return function.New(&function.Spec{
		Description: inner.Description(),
		Params:      inner.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t.IsMapType() && !args[2].Type().Equals(t.ElementType()) {
				return cty.DynamicPseudoType, nil
			}
			return inner.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			switch m, marks := args[0].Unmark(); {
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
