package expr

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/types"
)

// changes reports whether a conversion between two types would convert strings, numbers and bools to each other, which
// go-cty does to give elements one type.
func changes(from, to cty.Type) bool {
	switch {
	case from.IsPrimitiveType() && to.IsPrimitiveType():
		return from != to
	case from.IsTupleType() && to.IsTupleType():
		a, b := from.TupleElementTypes(), to.TupleElementTypes()
		for i := range min(len(a), len(b)) {
			if changes(a[i], b[i]) {
				return true
			}
		}
	case from.IsTupleType() && to.IsCollectionType():
		for _, t := range from.TupleElementTypes() {
			if changes(t, to.ElementType()) {
				return true
			}
		}
	case from.IsObjectType() && to.IsObjectType():
		for name, t := range from.AttributeTypes() {
			if to.HasAttribute(name) && changes(t, to.AttributeType(name)) {
				return true
			}
		}
	case from.IsObjectType() && to.IsMapType():
		for _, t := range from.AttributeTypes() {
			if changes(t, to.ElementType()) {
				return true
			}
		}
	case from.IsMapType() && to.IsObjectType():
		for _, t := range to.AttributeTypes() {
			if changes(from.ElementType(), t) {
				return true
			}
		}
	case from.IsCollectionType() && to.IsCollectionType():
		return changes(from.ElementType(), to.ElementType())
	}
	return false
}

// oneType returns the type to which values of several types can be converted without changes. The type of a null does not
// matter. It is cty.DynamicPseudoType if there are no other types.
func oneType(all []cty.Type) (cty.Type, error) {
	first, same := cty.DynamicPseudoType, true
	var others []cty.Type
	for _, t := range all {
		switch {
		case t == cty.DynamicPseudoType:
			continue
		case first == cty.DynamicPseudoType:
			first = t
		case !t.Equals(first):
			same = false
		}
		others = append(others, t)
	}
	if same {
		return first, nil
	}
	u, _ := convert.UnifyUnsafe(others)
	for _, t := range others {
		if u == cty.NilType || u == cty.DynamicPseudoType || changes(t, u) {
			return cty.NilType, fmt.Errorf("the elements must have one type: found %s and %s", types.Phrase(first), types.Phrase(different(others)))
		}
	}
	return u, nil
}

// different returns a type that is not the first one.
func different(all []cty.Type) cty.Type {
	for _, t := range all {
		if !t.Equals(all[0]) {
			return t
		}
	}
	return all[0]
}

// sequence returns a list of values of one type, or else a tuple: strings, numbers and bools stay what they are.
func sequence(values []cty.Value) cty.Value {
	if len(values) == 0 {
		return cty.ListValEmpty(cty.DynamicPseudoType)
	}
	for _, v := range values {
		if t := v.Type(); t == cty.DynamicPseudoType || !t.Equals(values[0].Type()) {
			return cty.TupleVal(values)
		}
	}
	return cty.ListVal(values)
}

// elementTypes returns the types of the elements of a list, a set or a tuple. Without elements there are none.
func elementTypes(t cty.Type) ([]cty.Type, bool) {
	switch {
	case t.IsTupleType():
		return t.TupleElementTypes(), true
	case t.IsListType() || t.IsSetType():
		return []cty.Type{t.ElementType()}, true
	}
	return nil, false
}

func notElements(i int, t cty.Type) error {
	return function.NewArgErrorf(i, "expected a list or a set, found %s", types.Phrase(t))
}
