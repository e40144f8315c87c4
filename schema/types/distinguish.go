package types

import (
	"github.com/zclconf/go-cty/cty"
)

// textless is a mark of a large value: none of its strings and keys has a form.
type textless struct{}

// Large returns v for many expressions that read it: Distinguish looks at all strings of a value, and at those of a Large one not again.
func Large(v cty.Value) cty.Value {
	if v == cty.NilVal || v.IsMarked() || v.IsNull() || !v.IsKnown() || !v.CanIterateElements() || v.LengthInt() < 16 {
		return v
	}
	found := map[string]bool{}
	if findTexts(v, found); len(found) > 0 {
		return v
	}
	return v.Mark(textless{})
}

// Distinguish gives the strings and keys of several values that equal one with a form, and have none, their own text as their form.
// Otherwise they would get the form of the other, if an expression puts both in one value.
func Distinguish(values []cty.Value) {
	found := map[string]bool{}
	for i, v := range values {
		if v != cty.NilVal && v.HasMark(textless{}) {
			values[i] = Bare(v)
		} else if len(values) > 1 {
			findTexts(v, found)
		}
	}
	if len(found) == 0 {
		return
	}
	for i, v := range values {
		out, err := cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) { return distinguish(v, found), nil })
		if err == nil {
			values[i] = out
		}
	}
}

// findTexts adds the strings in NFC that have a form.
func findTexts(v cty.Value, found map[string]bool) {
	if v == cty.NilVal || !holdsText(v.Type()) {
		return
	}
	v, own := unmark(v)
	if own != nil {
		for key := range own.texts {
			found[key] = true
		}
	}
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() || v.Type().IsSetType() {
		return // a set carries the forms of its elements
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		findTexts(e, found)
	}
}

// holdsText reports whether a value of type t can hold a string or a key.
func holdsText(t cty.Type) bool {
	switch {
	case t.IsListType() || t.IsSetType():
		return holdsText(t.ElementType())
	case t.IsTupleType():
		for _, e := range t.TupleElementTypes() {
			if holdsText(e) {
				return true
			}
		}
		return false
	}
	return t == cty.String || t.IsMapType() || t.IsObjectType()
}

func distinguish(v cty.Value, found map[string]bool) cty.Value {
	bare, own := unmark(v)
	if bare.IsNull() || !bare.IsKnown() {
		return v
	}
	has := func(s string) bool {
		if !found[s] {
			return true
		}
		if own == nil {
			return false
		}
		_, ok := own.texts[s]
		return ok
	}
	t := v.Type()
	switch {
	case t == cty.String && !has(bare.AsString()):
		return v.Mark(form{text: bare.AsString()})
	case t.IsMapType() || t.IsObjectType():
		var more *forms
		for it := bare.ElementIterator(); it.Next(); {
			k, _ := it.Element()
			if !has(k.AsString()) {
				if more == nil {
					more = &forms{}
				}
				more.add(form{text: k.AsString()})
			}
		}
		if more != nil {
			return v.Mark(more)
		}
	}
	return v
}
