package types

import (
	"encoding/json"
	"errors"

	"github.com/zclconf/go-cty/cty"
)

// ToJSON encodes a value as Canonical does, with the texts that it carries. Unknown values and artifacts are errors.
func ToJSON(v cty.Value) (json.RawMessage, error) {
	if HasArtifact(v.Type()) {
		return nil, errors.New("an artifact is not a value")
	}
	if !v.IsWhollyKnown() {
		return nil, errors.New("the value is not known yet")
	}
	var e encoder
	if err := e.value(v); err != nil {
		return nil, err
	}
	return e.out.buf, nil
}

type encoder struct {
	out    writer
	around []*forms // of the value that is written and of those that it is in
}

func (e *encoder) value(v cty.Value) error {
	v, own := unmark(v)
	if own != nil {
		e.around = append(e.around, own)
		defer func() { e.around = e.around[:len(e.around)-1] }()
	}
	t := v.Type()
	switch {
	case v.IsNull():
		e.out.raw("null")
	case t == cty.String:
		e.out.string(textOf(v.AsString(), e.around))
	case t == cty.Bool && v.True():
		e.out.raw("true")
	case t == cty.Bool:
		e.out.raw("false")
	case t == cty.Number:
		return e.number(v)
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		return e.array(v)
	case t.IsMapType() || t.IsObjectType():
		return e.object(v)
	default:
		return errors.New(String(t) + " has no JSON")
	}
	return nil
}

func (e *encoder) number(v cty.Value) error {
	f := v.AsBigFloat()
	if f.IsInf() {
		return errInfinite
	}
	if text, ok := numberOf(f, e.around); ok {
		e.out.raw(text)
	} else {
		e.out.buf = f.Append(e.out.buf, 'f', -1)
	}
	return nil
}

func (e *encoder) array(v cty.Value) error {
	l := e.out.begin('[')
	for it := v.ElementIterator(); it.Next(); {
		_, elem := it.Element()
		e.out.element(l)
		if err := e.value(elem); err != nil {
			return err
		}
	}
	if v.Type().IsSetType() {
		e.out.set(l)
	}
	e.out.end(l, ']')
	return nil
}

func (e *encoder) object(v cty.Value) error {
	l := e.out.begin('{')
	for it := v.ElementIterator(); it.Next(); {
		k, elem := it.Element()
		e.out.element(l)
		e.out.string(textOf(k.AsString(), e.around))
		e.out.key()
		if err := e.value(elem); err != nil {
			return err
		}
	}
	e.out.sort(l) // distinct keys have distinct texts
	e.out.end(l, '}')
	return nil
}
