package types

import (
	"encoding/json"
	"strconv"

	"github.com/zclconf/go-cty/cty"
)

// Defaults are the defaults of the optional attributes in a type, as optional(T, default) declares them. nil: there are none. A
// cty.Type can't have them. The types in programs and records are written without them, because a converted value has the
// attributes.
type Defaults struct {
	Values   map[string]json.RawMessage `json:"values,omitempty"`   // of attributes of an object, by name
	Inside   map[string]*Defaults       `json:"inside,omitempty"`   // of attributes of an object by name, or of elements of a tuple by index
	Elements *Defaults                  `json:"elements,omitempty"` // of each element of a list, a set or a map
}

func ofElements(d *Defaults) *Defaults {
	if d == nil {
		return nil
	}
	return &Defaults{Elements: d}
}

// with returns d with the defaults inside of an attribute or an element.
func (d *Defaults) with(name string, inner *Defaults) *Defaults {
	if inner == nil {
		return d
	}
	if d == nil {
		d = &Defaults{}
	}
	if d.Inside == nil {
		d.Inside = map[string]*Defaults{}
	}
	d.Inside[name] = inner
	return d
}

// value returns d with the default of an attribute.
func (d *Defaults) value(name string, data json.RawMessage) *Defaults {
	if d == nil {
		d = &Defaults{}
	}
	if d.Values == nil {
		d.Values = map[string]json.RawMessage{}
	}
	d.Values[name] = data
	return d
}

// Apply returns v with the defaults of the attributes that are missing or null. v is not converted to the type yet, so that it may
// be anything: what doesn't fit the type stays as it is.
func (d *Defaults) Apply(v cty.Value) cty.Value {
	if d == nil || v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return v
	}
	bare, part := Unmark(v)
	switch t := bare.Type(); {
	case t.IsObjectType() || t.IsMapType():
		return d.object(bare, part).WithSameMarks(v)
	case (t.IsListType() || t.IsSetType() || t.IsTupleType()) && bare.LengthInt() > 0:
		elems := make([]cty.Value, 0, bare.LengthInt())
		for it := bare.ElementIterator(); it.Next(); {
			_, e := it.Element()
			inner := d.Elements
			if inner == nil {
				inner = d.Inside[strconv.Itoa(len(elems))]
			}
			elems = append(elems, inner.Apply(part(e)))
		}
		return cty.TupleVal(elems).WithSameMarks(v)
	}
	return v
}

func (d *Defaults) object(bare cty.Value, part func(cty.Value) cty.Value) cty.Value {
	attrs := make(map[string]cty.Value, bare.LengthInt()+len(d.Values))
	for name, e := range bare.AsValueMap() {
		inner := d.Elements
		if inner == nil {
			inner = d.Inside[name]
		}
		attrs[name] = inner.Apply(part(e))
	}
	for name, data := range d.Values {
		if e, ok := attrs[name]; ok && !e.IsNull() {
			continue
		}
		if v, err := Decode(data); err == nil { // it was written by ToJSON
			attrs[name] = v
		}
	}
	return cty.ObjectVal(attrs)
}
