package infer

import (
	"github.com/zclconf/go-cty/cty"
)

// ownType returns the type of a call of a function whose own type function is too wide, or is wrong when an argument turns
// out to be a tuple instead of a list or an object instead of a map, as the results of `for` do. It returns false for all
// other functions.
func ownType(function string, args []cty.Type) (cty.Type, bool) {
	switch function {
	case "concat":
		return concatenated(args)
	case "one":
		return onlyElement(args[0])
	case "keys":
		return cty.List(cty.String), args[0].IsMapType() || args[0] == cty.DynamicPseudoType
	case "lookup":
		return looked(args)
	case "tolist", "toset", "tomap":
		return collected(function, args[0])
	}
	return cty.NilType, false
}

// onlyElement returns the type of one, for a list or a set with at most one element.
func onlyElement(t cty.Type) (cty.Type, bool) {
	if t.IsListType() || t.IsSetType() {
		return t.ElementType(), true
	}
	return cty.NilType, false
}

// concatenated returns the type of concat of lists. The function turns numbers into text if it joins lists of both, and
// returns an error for tuples of both.
func concatenated(args []cty.Type) (cty.Type, bool) {
	var elems []cty.Type
	lists := false
	for _, t := range args {
		if !isSequence(t) {
			return cty.NilType, false
		}
		lists = lists || t.IsListType()
		elems = append(elems, elementTypes(t)...)
	}
	if !lists {
		return cty.Tuple(elems), true
	}
	return cty.List(unifyOrAny(elems)), true
}

// looked returns the type of lookup in a map. The default may have another type than the elements.
func looked(args []cty.Type) (cty.Type, bool) {
	if !args[0].IsMapType() {
		return cty.NilType, false
	}
	return unifyOrAny([]cty.Type{args[0].ElementType(), args[2]}), true
}

// collected returns the type of tolist, toset and tomap.
func collected(function string, t cty.Type) (cty.Type, bool) {
	switch {
	case function == "tomap" && isMapping(t):
		if u, ok := unifyAll(elementTypes(t)); ok {
			return cty.Map(u), true
		}
	case function != "tomap" && (isSequence(t) || t.IsSetType()):
		u, ok := unifyAll(elementTypes(t))
		switch {
		case !ok:
		case function == "tolist":
			return cty.List(u), true
		default:
			return cty.Set(u), true
		}
	}
	return cty.NilType, false
}

func unifyOrAny(all []cty.Type) cty.Type {
	if u, ok := unifyAll(all); ok {
		return u
	}
	return cty.DynamicPseudoType
}
