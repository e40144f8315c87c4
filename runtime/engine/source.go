package engine

import (
	"encoding/json"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// source is what a reference reads. A recorded value is decoded when an expression computes with it, and not if it is only passed on:
// then it stays as it is, byte for byte.
type source struct {
	datum *record.Datum // nil: the value is not recorded
	typ   cty.Type      // of datum
	value cty.Value     // NilVal: not decoded yet
}

// known is the source of a value that is not recorded.
func known(v cty.Value) *source { return &source{value: v} }

// recorded is the source of a recorded value of type t.
func recorded(d *record.Datum, t cty.Type) *source {
	return &source{datum: d, typ: t, value: cty.NilVal}
}

// given is the source of a value of the program or of the run, which is checked and may be null.
func given(name, typ string, data json.RawMessage, t cty.Type) (*source, error) {
	if string(data) == "null" || types.HasArtifact(t) {
		v, err := constant(data, t)
		return known(v), err
	}
	data, err := types.Canonical(data, t)
	return recorded(&record.Datum{Name: name, Type: typ, Value: data}, t), err
}

func (s *source) decode() (cty.Value, error) {
	if s.value != cty.NilVal {
		return s.value, nil
	}
	v, err := decode(s.datum, s.typ)
	if err == nil {
		v = types.Large(v)
		s.value = v
	}
	return v, err
}

// check reports whether the recorded value has its type.
func (s *source) check() error {
	if s.datum.Value != nil && !types.HasArtifact(s.typ) {
		_, err := types.Canonical(s.datum.Value, s.typ)
		return err
	}
	_, err := s.decode()
	return err
}

// give returns the value of a source. If the reader only passes it on, it returns a placeholder instead, and read has the value.
func (r *reader) give(s *source) (cty.Value, error) {
	if s.datum != nil {
		r.read, r.readType = s.datum, s.datum.Type
		if r.passing && s.datum.Value != nil {
			r.passed = true
			return cty.DynamicVal, nil
		}
	}
	return s.decode()
}

// pass evaluates the value like eval, but if it is only a reference to a recorded value, it returns that value as a datum of type t
// instead, without decoding it. A value that is not of type t is evaluated, so that the caller's conversion reports the error.
func (r *reader) pass(name, typ string, t cty.Type) (cty.Value, *record.Datum, error) {
	if r.value.Ref == "" || types.HasArtifact(t) {
		v, err := r.eval()
		return v, nil, err
	}
	r.passing = true
	v, err := r.eval()
	r.passing = false
	if err != nil || !r.passed {
		return v, nil, err
	}
	if d := passOn(r.read, r.readType, name, typ, t); d != nil {
		return v, d, nil
	}
	v, err = r.eval()
	return v, nil, err
}

// carry evaluates a value for the next round. It also returns the source of the value: the recorded one, if it is only passed on.
func (r *reader) carry() (cty.Value, *source, error) {
	own := r.own[r.value.Ref]
	r.passing = own != nil
	v, err := r.eval()
	r.passing = false
	if r.passed {
		return v, own, err
	}
	return v, known(v), err
}

// passOn returns a recorded value as a datum of another name and type, or nil if it is not of that type.
func passOn(from *record.Datum, fromType, name, typ string, t cty.Type) *record.Datum {
	d := *from
	d.Name, d.Type = name, typ
	if fromType != typ {
		value, err := types.Canonical(from.Value, t)
		if err != nil {
			return nil
		}
		d.Value = value
	}
	return &d
}
