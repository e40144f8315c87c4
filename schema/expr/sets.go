package expr

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// setFunc returns a function of sets and lists. Their elements must have one type: go-cty's own functions convert numbers to
// strings, and panic if all sets are empty.
func setFunc(doc string, params []string, more string, join func(a, b cty.ValueSet) cty.ValueSet) function.Function {
	spec := &function.Spec{
		Description: doc,
		Type:        func(args []cty.Value) (cty.Type, error) { return setType(args) },
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			out, err := setOf(args[0], t.ElementType())
			if err != nil {
				return cty.NilVal, err
			}
			for _, arg := range args[1:] {
				other, err := setOf(arg, t.ElementType())
				if err != nil {
					return cty.NilVal, err
				}
				out = join(out, other)
			}
			return cty.SetValFromValueSet(out), nil
		},
	}
	for _, name := range params {
		spec.Params = append(spec.Params, function.Parameter{Name: name, Description: setDoc, Type: cty.DynamicPseudoType})
	}
	if more != "" {
		spec.VarParam = &function.Parameter{Name: more, Description: setDoc, Type: cty.DynamicPseudoType}
	}
	return function.New(spec)
}

const setDoc = "A set or a list. The elements of all sets must have one type."

// setType returns the type of a set of all elements of all arguments.
func setType(args []cty.Value) (cty.Type, error) {
	var all []cty.Type
	for i, arg := range args {
		elems, ok := elementTypes(arg.Type())
		if !ok {
			return cty.NilType, notElements(i, arg.Type())
		}
		all = append(all, elems...)
	}
	t, err := oneType(all)
	return cty.Set(t), err
}

// setOf returns the elements of a list or a set, converted to a type.
func setOf(v cty.Value, t cty.Type) (cty.ValueSet, error) {
	out := cty.NewValueSet(t)
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if !e.Type().Equals(t) {
			var err error
			if e, err = convert.Convert(e, t); err != nil {
				return out, err
			}
		}
		out.Add(e)
	}
	return out, nil
}

func setUnion() function.Function {
	return setFunc("Returns the union of all given sets.", []string{"first_set"}, "other_sets", cty.ValueSet.Union)
}

func setIntersection() function.Function {
	return setFunc("Returns the intersection of all given sets.", []string{"first_set"}, "other_sets", cty.ValueSet.Intersection)
}

func setSubtract() function.Function {
	return setFunc("Returns the relative complement of the two given sets.", []string{"a", "b"}, "", cty.ValueSet.Subtract)
}
