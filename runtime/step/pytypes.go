package step

import (
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// slotType is a type as the runner needs it: value, list, map, or an artifact's kind.
type slotType struct {
	Kind string    `json:"kind"`
	Elem *slotType `json:"elem,omitempty"`
	// Value is the type of a value.
	Value *valueType `json:"value,omitempty"`
}

// valueType is the type of a value: string, number, bool, any, list, set, map, object or tuple.
type valueType struct {
	Kind  string                `json:"kind"`
	Elem  *valueType            `json:"elem,omitempty"`  // of a list, a set or a map
	Attrs map[string]*valueType `json:"attrs,omitempty"` // of an object
	Elems []*valueType          `json:"elems,omitempty"` // of a tuple
	// Optional states that the attribute of an object may be null.
	Optional bool `json:"optional,omitempty"`
}

func slotTypeOf(t cty.Type) slotType {
	a, ok := types.AsArtifact(t)
	switch {
	case ok:
		return slotType{Kind: a.Kind}
	case types.HasArtifact(t) && t.IsListType():
		elem := slotTypeOf(t.ElementType())
		return slotType{Kind: "list", Elem: &elem}
	case types.HasArtifact(t) && t.IsMapType():
		elem := slotTypeOf(t.ElementType())
		return slotType{Kind: "map", Elem: &elem}
	}
	return slotType{Kind: "value", Value: valueTypeOf(t)}
}

func valueTypeOf(t cty.Type) *valueType {
	switch {
	case t == cty.String:
		return &valueType{Kind: "string"}
	case t == cty.Number:
		return &valueType{Kind: "number"}
	case t == cty.Bool:
		return &valueType{Kind: "bool"}
	case t.IsListType():
		return &valueType{Kind: "list", Elem: valueTypeOf(t.ElementType())}
	case t.IsSetType():
		return &valueType{Kind: "set", Elem: valueTypeOf(t.ElementType())}
	case t.IsMapType():
		return &valueType{Kind: "map", Elem: valueTypeOf(t.ElementType())}
	case t.IsObjectType():
		out := &valueType{Kind: "object", Attrs: map[string]*valueType{}}
		for name, attr := range t.AttributeTypes() {
			out.Attrs[name] = valueTypeOf(attr)
			out.Attrs[name].Optional = t.AttributeOptional(name)
		}
		return out
	case t.IsTupleType():
		out := &valueType{Kind: "tuple"}
		for _, elem := range t.TupleElementTypes() {
			out.Elems = append(out.Elems, valueTypeOf(elem))
		}
		return out
	}
	return &valueType{Kind: "any"}
}
