package types

import (
	"errors"
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"golang.org/x/text/unicode/norm"
)

// FromJSON decodes JSON of type t for expressions. It accepts what Canonical accepts, except for objects and sets with two keys or
// elements that are equal in the Unicode form NFC. The value carries the text of its strings and numbers; see form.
func FromJSON(data []byte, t cty.Type) (cty.Value, error) {
	canonical, err := Canonical(data, t)
	if err != nil {
		return cty.NilVal, err
	}
	return decode(canonical, t)
}

// Restore decodes the output of ToJSON for a value of type t, including its nulls. The value may have any size.
func Restore(data []byte, t cty.Type) (cty.Value, error) {
	c := codec{in: data, out: writer{buf: make([]byte, 0, len(data))}, nulls: true}
	if err := c.document(t); err != nil {
		return cty.NilVal, explain(data, err)
	}
	return decode(c.out.buf, t)
}

// Decode decodes JSON to a value of the type that it implies, which may be null and of any size. It loses nothing: keys that are
// equal, also in the Unicode form NFC, and text that is not valid Unicode are errors. The value carries the text of its strings and
// numbers.
func Decode(data []byte) (cty.Value, error) {
	return Restore(data, cty.DynamicPseudoType)
}

// Implied is Decode without the texts: strings are in NFC, and numbers have only their value.
func Implied(data []byte) (cty.Value, error) {
	v, err := Decode(data)
	if err != nil {
		return cty.NilVal, err
	}
	return Computed(v), nil
}

func decode(canonical []byte, t cty.Type) (cty.Value, error) {
	d := decoder{in: canonical}
	v, err := d.value(t)
	if err == nil && len(d.unusual) > 0 { // see text
		d.pos, d.again = 0, true
		v, err = d.value(t)
	}
	if err != nil {
		return cty.NilVal, err
	}
	return v, nil
}

// decoder decodes canonical JSON, which has the type that it is decoded as.
type decoder struct {
	in  []byte
	pos int
	// unusual has the strings in NFC of those that are not. In a second round, strings that equal them get a form too: otherwise they
	// would get the form of the others where a function moves it outward.
	unusual map[string]bool
	again   bool
}

func (d *decoder) value(t cty.Type) (cty.Value, error) {
	switch b := d.in[d.pos]; b {
	case 'n':
		d.pos += len("null")
		return cty.NullVal(t.WithoutOptionalAttributesDeep()), nil
	case 't':
		d.pos += len("true")
		return cty.True, nil
	case 'f':
		d.pos += len("false")
		return cty.False, nil
	case '"':
		return d.stringVal(), nil
	case '[':
		return d.array(t)
	case '{':
		return d.object(t)
	}
	start := d.pos
	for d.pos++; d.pos < len(d.in) && d.in[d.pos] != ',' && d.in[d.pos] != ']' && d.in[d.pos] != '}'; d.pos++ {
	}
	return numberVal(string(d.in[start:d.pos])), nil
}

func (d *decoder) text() string {
	n := stringEnd(d.in[d.pos:])
	s := unquote(d.in[d.pos+1 : d.pos+n-1])
	d.pos += n
	return s
}

func (d *decoder) stringVal() cty.Value {
	s := d.text()
	if d.hasForm(s) {
		return cty.StringVal(s).Mark(form{text: s})
	}
	return cty.StringVal(s)
}

func (d *decoder) hasForm(s string) bool {
	if !usualText(s) {
		if d.unusual == nil {
			d.unusual = map[string]bool{}
		}
		d.unusual[norm.NFC.String(s)] = true
		return true
	}
	return d.again && d.unusual[s]
}

// more goes past a comma or the closing bracket.
func (d *decoder) more() bool {
	d.pos++
	return d.in[d.pos-1] == ','
}

// empty goes past the opening bracket, and the closing one if it follows.
func (d *decoder) empty() bool {
	d.pos++
	if b := d.in[d.pos]; b != ']' && b != '}' {
		return false
	}
	d.pos++
	return true
}

func (d *decoder) array(t cty.Type) (cty.Value, error) {
	var elems []cty.Value
	same := true
	for more := !d.empty(); more; more = d.more() {
		elem := t
		switch {
		case t.IsTupleType():
			elem = t.TupleElementType(len(elems))
		case t.IsListType() || t.IsSetType():
			elem = t.ElementType()
		}
		e, err := d.value(elem)
		if err != nil {
			return cty.NilVal, err
		}
		same = same && (len(elems) == 0 || e.Type().Equals(elems[0].Type()))
		elems = append(elems, e)
	}
	switch {
	case !t.IsListType() && !t.IsSetType():
		return cty.TupleVal(elems), nil
	case len(elems) == 0 && t.IsSetType():
		return cty.SetValEmpty(t.ElementType().WithoutOptionalAttributesDeep()), nil
	case len(elems) == 0:
		return cty.ListValEmpty(t.ElementType().WithoutOptionalAttributesDeep()), nil
	case t.IsSetType() && !same:
		return cty.NilVal, errors.New("the elements of a set must have the same type, and these have several")
	case t.IsSetType():
		return setVal(elems)
	case !same:
		return cty.TupleVal(elems), nil
	}
	return cty.ListVal(elems), nil
}

// setVal returns a set. Elements that only expressions take for equal are an error.
func setVal(elems []cty.Value) (cty.Value, error) {
	v := Passed(cty.SetVal(elems)) // the forms of the elements are now the set's
	bare, _ := v.Unmark()
	if bare.LengthInt() == len(elems) {
		return v, nil
	}
	seen := map[string]string{}
	for _, e := range elems {
		if e.Type() == cty.String {
			bare, _ := e.Unmark()
			if before, ok := seen[bare.AsString()]; ok && before != Text(e) {
				return cty.NilVal, &valueError{why: fmt.Sprintf("a set has two elements that are equal as Unicode text: %s and %s", quote(before), quote(Text(e)))}
			}
			seen[bare.AsString()] = Text(e)
		}
	}
	return cty.NilVal, errors.New("two elements of a set differ only in the Unicode forms of their texts")
}

func (d *decoder) object(t cty.Type) (cty.Value, error) {
	elems := map[string]cty.Value{}
	var own *forms
	same, first := true, cty.NilType
	for more := !d.empty(); more; more = d.more() {
		key := d.text()
		d.pos++ // the colon
		name := key
		if d.hasForm(key) {
			if own == nil {
				own = &forms{}
			}
			name = norm.NFC.String(key)
			if _, ok := elems[name]; ok {
				return cty.NilVal, sameText(own.keyOf(name), key)
			}
			own.add(form{text: key})
		} else if _, ok := elems[name]; ok {
			return cty.NilVal, sameText(own.keyOf(name), key)
		}
		elem := t
		switch {
		case t.IsObjectType():
			elem = t.AttributeType(name)
		case t.IsMapType():
			elem = t.ElementType()
		}
		e, err := d.value(elem)
		if err != nil {
			return cty.NilVal, err
		}
		if first == cty.NilType {
			first = e.Type()
		}
		same = same && e.Type().Equals(first)
		elems[name] = e
	}
	var v cty.Value
	switch {
	case !t.IsMapType() || !same:
		v = cty.ObjectVal(elems)
	case len(elems) == 0:
		v = cty.MapValEmpty(t.ElementType().WithoutOptionalAttributesDeep())
	default:
		v = cty.MapVal(elems)
	}
	if own != nil {
		v = v.Mark(own)
	}
	return v, nil
}

// keyOf returns the key that has a name in NFC.
func (f *forms) keyOf(name string) string {
	if f == nil || f.texts[name] == "" {
		return name
	}
	return f.texts[name]
}
