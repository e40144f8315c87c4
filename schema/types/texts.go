package types

import (
	"math"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// InTemplate returns the text of a value in a template. A number has the text that it carries. A number without one is written with
// its shortest digits: with an exponent if it is below 1e-7, or 1e21 and above, as JavaScript and Go do in JSON. ok is false if a
// template can't have the value, or if it is not known.
func InTemplate(v cty.Value) (text string, ok bool) {
	v, own := unmark(v)
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() {
		return "", false
	}
	switch v.Type() {
	case cty.String:
		if own == nil {
			return v.AsString(), true
		}
		return textOf(v.AsString(), []*forms{own}), true
	case cty.Number:
		f := v.AsBigFloat()
		if own != nil {
			if text, ok := numberOf(f, []*forms{own}); ok {
				return text, true
			}
		}
		return shortNumber(f), !f.IsInf()
	case cty.Bool:
		if v.True() {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

func shortNumber(f *big.Float) string {
	if abs, _ := new(big.Float).Abs(f).Float64(); abs == 0 && f.Sign() == 0 || 1e-7 <= abs && abs < 1e21 && !math.IsInf(abs, 0) {
		return f.Text('f', -1)
	}
	digits, exponent, _ := strings.Cut(f.Text('e', -1), "e")
	sign, exponent := exponent[:1], strings.TrimLeft(exponent[1:], "0")
	return digits + "e" + sign + exponent
}

// MapTexts returns a copy of v without forms, in which the strings are f of their texts.
func MapTexts(v cty.Value, f func(string) string) cty.Value { return mapTexts(v, f, nil) }

func mapTexts(v cty.Value, f func(string) string, around []*forms) cty.Value {
	v, own := unmark(v)
	if own != nil {
		around = append(around[:len(around):len(around)], own)
	}
	t := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown():
		return v
	case t == cty.String:
		return cty.StringVal(f(textOf(v.AsString(), around)))
	case t.IsMapType() || t.IsObjectType():
		elems := make(map[string]cty.Value, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			elems[f(textOf(k.AsString(), around))] = mapTexts(e, f, around)
		}
		switch {
		case len(elems) == 0:
			return v
		case t.IsMapType():
			return cty.MapVal(elems)
		}
		return cty.ObjectVal(elems)
	case !t.IsListType() && !t.IsSetType() && !t.IsTupleType() || v.LengthInt() == 0:
		return v
	}
	elems := make([]cty.Value, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		elems = append(elems, mapTexts(e, f, around))
	}
	switch {
	case t.IsTupleType():
		return cty.TupleVal(elems)
	case t.IsSetType():
		return cty.SetVal(elems)
	}
	return cty.ListVal(elems)
}

// WithTexts returns v with the texts of other, a value of the same structure, in which f of a string is its text. A string of v that
// is another text than that stays as it is.
func WithTexts(v, other cty.Value, f func(string) string) cty.Value {
	if v.IsMarked() || other.IsMarked() || v.IsNull() || other.IsNull() || !v.IsKnown() || !other.IsKnown() {
		return v
	}
	t := v.Type()
	switch {
	case t == cty.String && other.Type() == cty.String:
		if text := f(other.AsString()); norm.NFC.String(text) == v.AsString() {
			return StringVal(text)
		}
		return v
	case !t.IsListType() && !t.IsTupleType() || !other.Type().IsListType() && !other.Type().IsTupleType() || v.LengthInt() != other.LengthInt() || v.LengthInt() == 0:
		return v
	}
	elems, others := v.AsValueSlice(), other.AsValueSlice()
	for i := range elems {
		elems[i] = WithTexts(elems[i], others[i], f)
	}
	if t.IsListType() {
		return cty.ListVal(elems)
	}
	return cty.TupleVal(elems)
}
