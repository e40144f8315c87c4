package types

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// attributeKeys matches the keys of a JSON object with the attributes of a type. The names of attributes have the form NFC, and a key
// in another form means the same attribute.
type attributeKeys struct {
	t     cty.Type
	n     int
	other map[string]string // keys in another form, by the name of their attribute
}

// typeOf returns the type of the value of a key. null is set if this value is null.
func (a *attributeKeys) typeOf(key string, null bool) (cty.Type, error) {
	types := a.t.AttributeTypes()
	name := key
	t, ok := types[name]
	if !ok {
		name = norm.NFC.String(key)
		t, ok = types[name]
	}
	if !ok {
		return t, &valueError{why: fmt.Sprintf("it has an attribute %s, which %s does not have", quote(key), String(a.t))}
	}
	if name != key {
		if before, ok := a.other[name]; ok && before != key {
			return t, sameText(before, key)
		}
		if a.other == nil {
			a.other = map[string]string{}
		}
		a.other[name] = key
	}
	if a.n++; null && a.t.AttributeOptional(name) {
		return cty.DynamicPseudoType, nil
	}
	return t, nil
}

// complete adds a null for each optional attribute that has no key.
func (a *attributeKeys) complete(out *writer, l level) error {
	if a.n == len(a.t.AttributeTypes()) && a.other == nil {
		return nil // sort reports a key that is there twice
	}
	have := map[string]string{}
	for key := range out.keys(l) {
		name := norm.NFC.String(key)
		if before, ok := have[name]; ok && before != key {
			return sameText(before, key)
		}
		have[name] = key
	}
	for _, name := range sortedAttrs(a.t) {
		if _, ok := have[name]; ok {
			continue
		}
		if !a.t.AttributeOptional(name) {
			return &valueError{why: fmt.Sprintf("the attribute %s is missing", quote(name))}
		}
		out.element(l)
		out.string(name)
		out.key()
		out.raw("null")
	}
	return nil
}
