package podspec

import (
	"encoding/base64"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/types"
)

// value checks v against a type of Kubernetes and converts it to JSON's types: maps, lists, strings, bools, int64.
func (c *checker) value(t reflect.Type, v cty.Value, p place) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v.IsNull() {
		return c.null(p)
	}
	switch t {
	case reflect.TypeFor[resource.Quantity]():
		return c.quantity(v, p)
	case reflect.TypeFor[intstr.IntOrString]():
		if v.Type() == cty.String {
			return v.AsString()
		}
		return c.integer(reflect.TypeFor[int32](), v, p)
	}
	switch t.Kind() {
	case reflect.Struct:
		return c.object(t, v, p)
	case reflect.Map:
		return c.mapping(t, v, p)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return c.bytes(v, p)
		}
		return c.list(t, v, p)
	case reflect.String:
		return c.text(t, v, p)
	case reflect.Bool:
		if v.Type() != cty.Bool {
			return c.mismatch(cty.Bool, v, p)
		}
		return v.True()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return c.integer(t, v, p)
	}
	c.fault(diag.New("not-supported", p.expr.Range(), "%s can't be set here", p.name()))
	return nil
}

func (c *checker) null(p place) any {
	c.fault(diag.New("null-value", p.expr.Range(), "%s is null", p.name()).
		WithDetail("Leave the field out to set no value."))
	return nil
}

// mismatch reports a plain value of another type.
func (c *checker) mismatch(want cty.Type, v cty.Value, p place) any {
	d := evaluate.Mismatch(p.expr, v.Type(), want, &types.Mismatch{From: v.Type(), To: want}, c.project.Scope.Source)
	d.Summary = p.name() + " must be " + types.Phrase(want) + ", found " + types.Phrase(v.Type())
	c.fault(d)
	return nil
}

func (c *checker) text(t reflect.Type, v cty.Value, p place) any {
	v = evaluate.Texts(p.expr, v, cty.String)
	if v.Type() != cty.String {
		return c.mismatch(cty.String, v, p)
	}
	s := v.AsString()
	if among := enums[t]; among != nil && !slices.Contains(among, s) {
		c.fault(diag.New("invalid-value", p.expr.Range(), "%s can't be %q", p.name(), s).
			WithDetail("It is one of %s.", strings.Join(among, ", ")).DidYouMean(s, among))
	}
	return s
}

func (c *checker) bytes(v cty.Value, p place) any {
	if v.Type() != cty.String {
		return c.mismatch(cty.String, v, p)
	}
	if _, err := base64.StdEncoding.DecodeString(v.AsString()); err != nil {
		c.fault(diag.New("invalid-value", p.expr.Range(), "%s must be base64, and this value is not", p.name()).
			WithSuggestion("write base64encode(…)"))
	}
	return v.AsString()
}

func (c *checker) integer(t reflect.Type, v cty.Value, p place) any {
	if v.Type() != cty.Number {
		return c.mismatch(cty.Number, v, p)
	}
	f := v.AsBigFloat()
	n, accuracy := f.Int64()
	if accuracy != big.Exact || t.Kind() == reflect.Int32 && (n < math.MinInt32 || n > math.MaxInt32) {
		c.fault(diag.New("invalid-value", p.expr.Range(), "%s must be a whole number of %d bits, found %s", p.name(), t.Bits(), f.Text('g', 10)))
		return nil
	}
	return n
}

func (c *checker) quantity(v cty.Value, p place) any {
	text := ""
	switch v.Type() {
	case cty.String:
		text = v.AsString()
	case cty.Number:
		text = v.AsBigFloat().Text('f', -1)
	default:
		return c.mismatch(cty.String, v, p)
	}
	if len(text) <= 64 {
		if q, err := resource.ParseQuantity(text); err == nil {
			return q.String()
		}
	}
	d := diag.New("invalid-quantity", p.expr.Range(), "%s: %s is not a quantity of Kubernetes", p.name(), strconv.Quote(text)).
		WithDetail(`Cores are written as "2" or "500m", and bytes as "512Mi" or "2Gi".`)
	if short := strings.TrimRight(strings.ReplaceAll(text, " ", ""), "Bb"); short != text && len(text) <= 64 {
		if _, err := resource.ParseQuantity(short); err == nil {
			d = d.WithSuggestion("did you mean %q?", short)
		}
	}
	c.fault(d)
	return nil
}

// isObject reports whether v is what JSON calls an object.
func isObject(v cty.Value) bool { return v.Type().IsObjectType() || v.Type().IsMapType() }

func isList(v cty.Value) bool {
	t := v.Type()
	return t.IsTupleType() || t.IsListType() || t.IsSetType()
}

// shape reports a value that is not the expected object or list.
func (c *checker) shape(what string, v cty.Value, p place) any {
	d := diag.New("type-mismatch", p.expr.Range(), "%s must be %s, found %s", p.name(), what, types.Phrase(v.Type()))
	if what == "a list" && isObject(v) {
		d = d.WithSuggestion("write [ … ] around it")
	}
	c.fault(d)
	return nil
}
