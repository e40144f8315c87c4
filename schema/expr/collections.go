package expr

import (
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
		Params:      []function.Parameter{{Name: "list", Description: "A list or a set. Elements of several types stay as they are.", Type: cty.DynamicPseudoType}},
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
