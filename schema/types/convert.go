package types

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/zclconf/go-cty/cty"
)

// NullError reports a null in a value whose type does not allow it.
type NullError struct {
	Path string // where inside the value; "" for the value itself
	Type cty.Type
}

func (e *NullError) Error() string {
	if e.Path == "" {
		return "the value is null"
	}
	return fmt.Sprintf("the value at %s is null, which %s does not allow", e.Path, String(e.Type))
}

var errInfinite = errors.New("the value is infinite, as after a division by zero, or takes too many digits")

// Convert converts v to the type to, if Assignable allows it and v has no null except in optional attributes and inside `any`. A
// list(any) or map(any) with elements of several types stays a tuple or an object: strings, numbers and bools are never
// converted to each other. The error never contains the value.
func Convert(v cty.Value, to cty.Type) (cty.Value, error) {
	if v.IsNull() {
		return cty.NilVal, &NullError{Type: to}
	}
	if m := Assignable(v.Type(), to); m != nil {
		return cty.NilVal, m
	}
	return convert(v, to, "")
}

// convert does what Assignable has said can be done. Marks stay where they are.
func convert(v cty.Value, to cty.Type, path string) (cty.Value, error) {
	if v.IsMarked() {
		v, marks := v.Unmark()
		out, err := convert(v, to, path)
		if err != nil {
			return cty.NilVal, err
		}
		return out.WithMarks(marks), nil
	}
	switch {
	case v.IsNull() && to == cty.DynamicPseudoType:
		return v, nil // inside of something that is `any`
	case v.IsNull():
		return cty.NilVal, &NullError{Path: path, Type: to}
	case to == cty.DynamicPseudoType:
		if !Finite(v) {
			return cty.NilVal, errInfinite
		}
		return v, nil
	case !v.IsKnown():
		return cty.UnknownVal(to.WithoutOptionalAttributesDeep()), nil
	case IsArtifact(to):
		h, _ := v.EncapsulatedValue().(*Handle)
		return cty.CapsuleVal(to, h), nil
	case to.IsPrimitiveType():
		if !v.Type().Equals(to) {
			return cty.NilVal, &Mismatch{Path: path, From: v.Type(), To: to}
		}
		if !Finite(v) {
			return cty.NilVal, errInfinite
		}
		return v, nil
	case to.IsMapType():
		return convertMap(v, to, path)
	case to.IsObjectType():
		return convertObject(v, to, path)
	case to.IsTupleType():
		var elems []cty.Value
		for i, t := range to.TupleElementTypes() {
			e, err := convert(v.Index(cty.NumberIntVal(int64(i))), t, fmt.Sprintf("%s[%d]", path, i))
			if err != nil {
				return cty.NilVal, err
			}
			elems = append(elems, e)
		}
		return cty.TupleVal(elems), nil
	}
	return convertSequence(v, to, path)
}

func convertSequence(v cty.Value, to cty.Type, path string) (cty.Value, error) {
	elems := make([]cty.Value, 0, v.LengthInt())
	same := true
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		e, err := convert(e, to.ElementType(), path+index(k))
		if err != nil {
			return cty.NilVal, err
		}
		same = same && (len(elems) == 0 || e.Type().Equals(elems[0].Type()))
		elems = append(elems, e)
	}
	elem := to.ElementType().WithoutOptionalAttributesDeep()
	switch {
	case to.IsSetType() && !same:
		return cty.NilVal, errors.New("the elements of a set must have the same type, and these have several")
	case len(elems) == 0 && to.IsSetType():
		return cty.SetValEmpty(elem), nil
	case len(elems) == 0:
		return cty.ListValEmpty(elem), nil
	case to.IsSetType():
		return Passed(cty.SetVal(elems)), nil
	case !same:
		return cty.TupleVal(elems), nil
	}
	return cty.ListVal(elems), nil
}

func convertMap(v cty.Value, to cty.Type, path string) (cty.Value, error) {
	elems := make(map[string]cty.Value, v.LengthInt())
	same, first := true, cty.NilType
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		e, err := convert(e, to.ElementType(), path+index(k))
		if err != nil {
			return cty.NilVal, err
		}
		if first == cty.NilType {
			first = e.Type()
		}
		same = same && e.Type().Equals(first)
		elems[k.AsString()] = e
	}
	switch {
	case len(elems) == 0:
		return cty.MapValEmpty(to.ElementType().WithoutOptionalAttributesDeep()), nil
	case !same:
		return cty.ObjectVal(elems), nil
	}
	return cty.MapVal(elems), nil
}

func convertObject(v cty.Value, to cty.Type, path string) (cty.Value, error) {
	attrs := make(map[string]cty.Value, len(to.AttributeTypes()))
	for _, name := range sortedAttrs(to) {
		t := to.AttributeType(name)
		if to.AttributeOptional(name) && (!v.Type().HasAttribute(name) || v.GetAttr(name).IsNull()) {
			attrs[name] = cty.NullVal(t.WithoutOptionalAttributesDeep())
			continue
		}
		e, err := convert(v.GetAttr(name), t, path+"."+name)
		if err != nil {
			return cty.NilVal, err
		}
		attrs[name] = e
	}
	return cty.ObjectVal(attrs), nil
}

func index(k cty.Value) string {
	switch t := k.Type(); {
	case k.IsNull() || !k.IsKnown(): // an element of a set is its own key
	case t == cty.String:
		return fmt.Sprintf("[%q]", k.AsString())
	case t == cty.Number:
		return "[" + k.AsBigFloat().Text('f', -1) + "]"
	}
	return "[…]"
}

// Finite reports whether all numbers in v can be encoded as JSON and decoded again: none is infinite, or needs more digits than a
// number may have.
func Finite(v cty.Value) bool {
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case v.IsNull() || !v.IsKnown():
	case t == cty.Number:
		return writable(v.AsBigFloat())
	case t.IsCollectionType() && t.ElementType().IsPrimitiveType() && t.ElementType() != cty.Number:
	case v.CanIterateElements():
		for it := v.ElementIterator(); it.Next(); {
			if _, e := it.Element(); !Finite(e) {
				return false
			}
		}
	}
	return true
}

// writable reports whether the text of a number is one that checkJSON lets pass.
func writable(f *big.Float) bool {
	if f.IsInf() {
		return false
	}
	exponent := f.MantExp(nil)
	if f.Prec() <= 512 && -2000 < exponent && exponent < 3000 {
		return true // without a look at its text
	}
	if exponent < -4*maxDigits || exponent > 4*maxDigits || f.MinPrec() > 4*maxDigits {
		return false // its text could take as much memory as there is
	}
	return len(f.Text('f', -1)) <= maxDigits
}
