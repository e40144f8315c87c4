package engine

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// constant decodes a value of the program or of the run. It may be null.
func constant(data json.RawMessage, t cty.Type) (cty.Value, error) {
	if string(data) == "null" {
		return cty.NullVal(t), nil
	}
	if types.HasArtifact(t) {
		return cty.NilVal, fmt.Errorf("expected %s, found a value", types.String(t))
	}
	return types.FromJSON(data, t)
}

// decode converts an output to the form that expressions read.
func decode(d *record.Datum, t cty.Type) (cty.Value, error) {
	switch {
	case !types.HasArtifact(t):
		return types.FromJSON(d.Value, t)
	case d.Artifact != nil && types.IsArtifact(t):
		return handle(t, d.Artifact), nil
	case d.Artifact != nil:
		// a list or map of artifacts that is one directory in the store can only be passed on as a whole
		return handle(types.Kind("directory"), d.Artifact), nil
	case !t.IsListType() && !t.IsMapType():
		return cty.NilVal, fmt.Errorf("expected %s, found nothing", types.String(t))
	}
	list, byKey := make([]cty.Value, 0, len(d.Elems)), make(map[string]cty.Value, len(d.Elems))
	for i := range d.Elems {
		v, err := decode(&d.Elems[i], t.ElementType())
		if err != nil {
			return cty.NilVal, err
		}
		if !v.Type().Equals(t.ElementType()) {
			return cty.NilVal, fmt.Errorf("an element is not %s", types.String(t.ElementType()))
		}
		list, byKey[d.Elems[i].Name] = append(list, v), v
	}
	switch {
	case t.IsListType() && len(list) == 0:
		return cty.ListValEmpty(t.ElementType()), nil
	case t.IsListType():
		return cty.ListVal(list), nil
	case len(list) == 0:
		return cty.MapValEmpty(t.ElementType()), nil
	}
	return types.MapVal(byKey)
}

func handle(t cty.Type, a *record.Artifact) cty.Value {
	return cty.CapsuleVal(t, &types.Handle{Content: a})
}

// encode converts a value to its declared type and encodes it.
func encode(name, typ string, t cty.Type, v cty.Value) (record.Datum, error) {
	d := record.Datum{Name: name, Type: typ}
	if types.HasArtifact(t) && !types.IsArtifact(t) && v.Type().Equals(types.Kind("directory")) {
		err := setArtifact(&d, v)
		return d, err
	}
	v, err := types.Convert(v, t)
	if err != nil {
		return d, err
	}
	if types.HasArtifact(t) {
		err := setElems(&d, v)
		return d, err
	}
	if d.Value, err = types.ToJSON(v); err != nil {
		return d, err
	}
	if len(d.Value) > types.MaxValue {
		return d, fmt.Errorf("the value has %d bytes, but a value can have at most %d; use an artifact for larger data", len(d.Value), types.MaxValue)
	}
	return d, nil
}

// setElems stores an artifact, or a list or map of artifacts, in d.
func setElems(d *record.Datum, v cty.Value) error {
	t := v.Type()
	if types.IsArtifact(t) {
		return setArtifact(d, v)
	}
	if v.IsNull() || !t.IsListType() && !t.IsMapType() {
		return fmt.Errorf("%s can't be passed on", types.String(t))
	}
	v, part := types.Unmark(v)
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		elem := record.Datum{Type: types.String(t.ElementType())}
		if t.IsMapType() {
			elem.Name = types.Text(part(k))
		}
		if err := setElems(&elem, e); err != nil {
			return err
		}
		d.Elems = append(d.Elems, elem)
	}
	return nil
}

func setArtifact(d *record.Datum, v cty.Value) error {
	if v.IsNull() {
		return errors.New("the value is null")
	}
	v, _ = v.Unmark()
	if h, ok := v.EncapsulatedValue().(*types.Handle); ok && h != nil {
		if a, ok := h.Content.(*record.Artifact); ok && a != nil {
			d.Artifact = a
			return nil
		}
	}
	return errors.New("there is no artifact behind this value")
}
