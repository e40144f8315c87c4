package infer

import (
	"github.com/zclconf/go-cty/cty"
)

// ownType is the type of a call of a function whose own account of it is too wide, or is wrong where an argument turns
// out to be a tuple for a list or an object for a map, as the results of `for` do. false: it has none here.
func ownType(function string, args []cty.Type) (cty.Type, bool) {
	switch function {
	case "concat":
		return concatenated(args)
	case "keys":
		return cty.List(cty.String), args[0].IsMapType() || args[0] == cty.DynamicPseudoType
	case "lookup":
		return looked(args)
	case "tolist", "toset", "tomap":
		return collected(function, args[0])
	}
	return cty.NilType, false
}

// concatenated is the type of concat of lists. The function makes text of numbers where lists of both are joined, and
// nothing of tuples of both.
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

// looked is the type of lookup in a map: the default may be of another type than the elements.
func looked(args []cty.Type) (cty.Type, bool) {
	if !args[0].IsMapType() {
		return cty.NilType, false
	}
	return unifyOrAny([]cty.Type{args[0].ElementType(), args[2]}), true
}

// collected is the type of tolist, toset and tomap.
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
