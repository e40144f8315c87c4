package infer

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// unify returns the narrowest type that values of both types can be converted to. The result is never narrower than one of
// them: of list(any) and list(number) it is list(any).
func unify(a, b cty.Type) (cty.Type, bool) {
	switch {
	case a.Equals(b):
		return a, true
	case a == cty.DynamicPseudoType || b == cty.DynamicPseudoType:
		return cty.DynamicPseudoType, !types.HasArtifact(a) && !types.HasArtifact(b)
	case types.IsArtifact(a) || types.IsArtifact(b):
		if types.Assignable(a, b) == nil {
			return b, true
		}
		return a, types.Assignable(b, a) == nil
	case isSequence(a) && isSequence(b):
		return unifySequences(a, b)
	case isMapping(a) && isMapping(b):
		return unifyMappings(a, b)
	case a.IsSetType() && (b.IsSetType() || b.IsTupleType()), a.IsTupleType() && b.IsSetType():
		u, ok := unifyAll(append(elementTypes(a), elementTypes(b)...))
		if !ok || types.HasArtifact(u) {
			return cty.NilType, false
		}
		return cty.Set(u), true
	}
	return cty.NilType, false
}

func isSequence(t cty.Type) bool { return t.IsListType() || t.IsTupleType() }

func isMapping(t cty.Type) bool { return t.IsMapType() || t.IsObjectType() }

func unifySequences(a, b cty.Type) (cty.Type, bool) {
	if a.IsTupleType() && b.IsTupleType() && a.Length() == b.Length() {
		var elems []cty.Type
		for i, t := range a.TupleElementTypes() {
			u, ok := unify(t, b.TupleElementTypes()[i])
			if !ok {
				return cty.NilType, false
			}
			elems = append(elems, u)
		}
		return cty.Tuple(elems), true
	}
	u, ok := unifyAll(append(elementTypes(a), elementTypes(b)...))
	if !ok {
		return cty.NilType, false
	}
	return cty.List(u), true
}

func unifyMappings(a, b cty.Type) (cty.Type, bool) {
	if a.IsObjectType() && b.IsObjectType() {
		if u, ok := unifyObjects(a, b); ok {
			return u, true
		}
	}
	u, ok := unifyAll(append(elementTypes(a), elementTypes(b)...))
	if !ok {
		return cty.NilType, false
	}
	return cty.Map(u), true
}

// unifyObjects returns the object type for two object types, if each lacks only attributes that are optional in the other.
func unifyObjects(a, b cty.Type) (cty.Type, bool) {
	attrs := map[string]cty.Type{}
	var optional []string
	for _, pair := range [][2]cty.Type{{a, b}, {b, a}} {
		one, other := pair[0], pair[1]
		for name, t := range one.AttributeTypes() {
			switch {
			case other.HasAttribute(name):
				u, ok := unify(t, other.AttributeType(name))
				if !ok {
					return cty.NilType, false
				}
				attrs[name] = u
			case one.AttributeOptional(name):
				attrs[name] = t
			default:
				return cty.NilType, false
			}
			if one.AttributeOptional(name) && !slices.Contains(optional, name) {
				optional = append(optional, name)
			}
		}
	}
	return cty.ObjectWithOptionalAttrs(attrs, optional), true
}

// elementTypes returns the types of the elements of a collection, a tuple or an object.
func elementTypes(t cty.Type) []cty.Type {
	switch {
	case t.IsTupleType():
		return slices.Clone(t.TupleElementTypes())
	case t.IsObjectType():
		var out []cty.Type
		for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes())) {
			out = append(out, t.AttributeType(name))
		}
		return out
	}
	return []cty.Type{t.ElementType()}
}

// unifyAll returns the one type for several types; any for none.
func unifyAll(all []cty.Type) (cty.Type, bool) {
	if len(all) == 0 {
		return cty.DynamicPseudoType, true
	}
	u := all[0]
	for _, t := range all[1:] {
		var ok bool
		if u, ok = unify(u, t); !ok {
			return cty.NilType, false
		}
	}
	return u, true
}
