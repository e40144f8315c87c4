package expr

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/types"
)

// oneFunc returns the element of a list that has at most one.
func oneFunc() function.Function {
	return function.New(&function.Spec{
		Description: "Returns the element of a list or a set that has one element, and null for an empty one. More elements are an error.",
		Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType, AllowMarked: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			switch t := args[0].Type(); {
			case t.IsListType() || t.IsSetType():
				return t.ElementType(), nil
			case !t.IsTupleType():
				return cty.NilType, notElements(0, t)
			case t.Length() == 1:
				return t.TupleElementType(0), nil
			case t.Length() > 1:
				return cty.NilType, tooMany(t.Length())
			}
			return cty.DynamicPseudoType, nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if bare, _ := args[0].Unmark(); !bare.Length().IsKnown() {
				return cty.UnknownVal(t), nil
			}
			elems, marks := elements(args[0])
			switch len(elems) {
			case 0:
				return cty.NullVal(t).WithMarks(marks), nil
			case 1:
				return elems[0].WithMarks(marks), nil
			}
			return cty.NilVal, tooMany(len(elems))
		},
	})
}

func tooMany(n int) error {
	return function.NewArgErrorf(0, "expected at most one element, found %d", n)
}

// indexFunc finds an element in a list. It compares as == does.
func indexFunc() function.Function {
	return function.New(&function.Spec{
		Description: "Returns the index of the first element of a list that equals a value. It is an error if there is none.",
		Params: []function.Parameter{
			{Name: "list", Type: cty.DynamicPseudoType},
			{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
				return cty.NilType, function.NewArgErrorf(0, "expected a list, found %s", types.Phrase(t))
			}
			return cty.Number, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				switch i, e := it.Element(); {
				case !e.IsWhollyKnown() || !args[1].IsWhollyKnown():
					return cty.UnknownVal(cty.Number), nil
				case equal(e, args[1]):
					return i, nil
				}
			}
			return cty.NilVal, errors.New("no element of the list equals the value")
		},
	})
}

// rangeFunc is the standard library's, which returns at most 1024 numbers.
func rangeFunc() function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "params", Type: cty.Number},
		Type: func(args []cty.Value) (cty.Type, error) {
			if len(args) < 1 || len(args) > 3 {
				return cty.NilType, fmt.Errorf("expected 1 to 3 numbers, found %d", len(args))
			}
			return cty.List(cty.Number), nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			start, end := cty.Zero, args[0]
			if len(args) > 1 {
				start, end = args[0], args[1]
			}
			down := end.LessThan(start).True()
			step := cty.NumberIntVal(1)
			if down {
				step = cty.NumberIntVal(-1)
			}
			if len(args) == 3 {
				step = args[2]
				if start.RawEquals(end) {
					return cty.ListValEmpty(cty.Number), nil
				}
				if down != step.LessThan(cty.Zero).True() {
					return cty.NilVal, function.NewArgErrorf(2, "the step leads away from the end")
				}
			}
			var out []cty.Value
			for n := start; down && n.GreaterThan(end).True() || !down && n.LessThan(end).True(); n = n.Add(step) {
				if len(out) == maxElements {
					return cty.NilVal, fmt.Errorf("the result would have more than %d elements", maxElements)
				}
				out = append(out, n)
			}
			return listOf(out, t), nil
		},
	})
}
