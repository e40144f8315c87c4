package expr

import (
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"pipec.dev/pipec/schema/types"
)

// elements returns the elements of a list, a set or a tuple, each with the text that it carries, and the other marks of v.
func elements(v cty.Value) ([]cty.Value, cty.ValueMarks) {
	bare, part := types.Spread(v)
	bare, marks := bare.Unmark()
	out := make([]cty.Value, 0, bare.LengthInt())
	for it := bare.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if part != nil {
			e = part(e)
		}
		out = append(out, e)
	}
	return out, marks
}

// coalesceListFunc is the standard library's, and each element of the list keeps its own text.
func coalesceListFunc() function.Function {
	inner := stdlib.CoalesceListFunc
	more := *inner.VarParam()
	more.AllowMarked = true
	return function.New(&function.Spec{
		Description: inner.Description(),
		VarParam:    &more,
		Type:        inner.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := inner.Call(args)
			if err != nil || !v.IsKnown() {
				return v, err
			}
			return args[slices.IndexFunc(args, func(v cty.Value) bool {
				v, _ = v.Unmark()
				return !v.IsNull() && v.LengthInt() > 0
			})], nil
		},
	})
}

// ofStrings returns a function of a list of strings, which keep their texts.
func ofStrings(like function.Function, change func([]cty.Value) []cty.Value) function.Function {
	params := like.Params()
	params[0].AllowMarked = true
	return function.New(&function.Spec{
		Description: like.Description(),
		Params:      params,
		Type:        function.StaticReturnType(cty.List(cty.String)),
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			v, err := like.Call(args)
			if err != nil || !v.IsKnown() || !args[0].ContainsMarked() {
				return v, err
			}
			elems, marks := elements(args[0])
			return listOf(change(elems), t).WithMarks(marks), nil
		},
	})
}

func stringOf(v cty.Value) string {
	v, _ = v.Unmark()
	if v.IsNull() {
		return ""
	}
	return v.AsString()
}

func compactFunc() function.Function {
	return ofStrings(stdlib.CompactFunc, func(elems []cty.Value) []cty.Value {
		return slices.DeleteFunc(elems, func(v cty.Value) bool { return stringOf(v) == "" })
	})
}

func sortFunc() function.Function {
	return ofStrings(stdlib.SortFunc, func(elems []cty.Value) []cty.Value {
		slices.SortStableFunc(elems, func(a, b cty.Value) int { return strings.Compare(stringOf(a), stringOf(b)) })
		return elems
	})
}
