package program_test

import (
	"reflect"
	"testing"

	"pipec.dev/pipec/schema/program"
)

// TestVariant holds that a variant has all that it names of a step, and takes it back: each of its fields is one of Step's,
// of the same name and JSON.
func TestVariant(t *testing.T) {
	var full program.Variant
	v, step := reflect.ValueOf(&full).Elem(), reflect.TypeFor[program.Step]()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if own, ok := step.FieldByName(f.Name); !ok || own.Type != f.Type || own.Tag != f.Tag {
			t.Errorf("a step has no field like %s", f.Name)
		}
		v.Field(i).Set(filled(f.Type))
	}
	s := &program.Step{Name: "s", Variants: []program.Variant{full}, Variant: map[string]int{"k": 0}}
	one, _ := s.Chosen("k")
	if got := program.VariantOf(one); !reflect.DeepEqual(got, full) {
		t.Errorf("%+v has become %+v", full, got)
	}
	if one.Name != "s" || one.Variants != nil || one.Variant != nil || s.Image != "" {
		t.Errorf("the instance is %+v of %+v", one, s)
	}
}

// filled is a value that is not the zero one.
func filled(t reflect.Type) reflect.Value {
	switch t.Kind() {
	case reflect.String:
		return reflect.ValueOf("x").Convert(t)
	case reflect.Pointer:
		return reflect.New(t.Elem())
	case reflect.Map:
		return reflect.MakeMap(t)
	}
	return reflect.MakeSlice(t, 1, 1)
}
