package types

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Canonical checks that data is JSON of type t, and returns it in canonical form: without insignificant white space, with the keys
// of objects and the elements of sets sorted, with missing optional attributes as null, and without unnecessary escapes. The text of
// strings and keys is kept byte for byte, and the text of numbers as it is. As in Convert, strings, numbers and bools are never
// converted to each other, and a null is an error except in optional attributes and inside `any`. Canonical data doesn't change.
func Canonical(data []byte, t cty.Type) (json.RawMessage, error) {
	if err := checkSize(len(data)); err != nil {
		return nil, err
	}
	c := codec{in: data, out: writer{buf: make([]byte, 0, len(data))}}
	if err := c.document(t); err != nil {
		return nil, explain(data, err)
	}
	return c.out.buf, checkSize(len(c.out.buf))
}

// explain returns the error of a codec for the caller. Data that is not JSON is reported first, even if it follows another error.
func explain(data []byte, err error) error {
	if bad := checkJSON(data); bad != nil {
		return bad
	}
	var wrong *valueError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.syntax:
		return errors.New("not valid JSON")
	case wrong.null:
		return &NullError{Path: wrong.at(), Type: wrong.want}
	}
	return err
}

func checkSize(n int) error {
	if n > MaxValue {
		return fmt.Errorf("the value has %d bytes, but a value can have at most %d; use an artifact for larger data", n, MaxValue)
	}
	return nil
}

// codec reads JSON and writes its canonical form.
type codec struct {
	in    []byte
	pos   int
	depth int
	out   writer
	nulls bool // a null is accepted everywhere
}

func (c *codec) document(t cty.Type) error {
	if HasArtifact(t) {
		return &valueError{why: "an artifact comes from a step's output, not from a value"}
	}
	if c.space() == 'n' && !c.nulls {
		if err := c.word("null"); err != nil {
			return err
		}
		return &valueError{null: true, want: t}
	}
	if err := c.value(t); err != nil {
		return err
	}
	if c.space() != 0 || c.pos < len(c.in) {
		return errSyntax()
	}
	return nil
}

// value reads one value. Its errors have the path from the value on; callers add what is above it.
func (c *codec) value(t cty.Type) error {
	switch b := c.space(); {
	case b == 'n':
		if err := c.word("null"); err != nil {
			return err
		}
		if t != cty.DynamicPseudoType && !c.nulls {
			return &valueError{null: true, want: t}
		}
		return nil
	case b == '{':
		return c.nested(t, c.object)
	case b == '[':
		return c.nested(t, c.array)
	case b == '"':
		if t != cty.String && t != cty.DynamicPseudoType {
			return expected(t, "string")
		}
		return c.text()
	case b == '-' || '0' <= b && b <= '9':
		if t != cty.Number && t != cty.DynamicPseudoType {
			return expected(t, "number")
		}
		return c.number()
	case b == 't' || b == 'f':
		if t != cty.Bool && t != cty.DynamicPseudoType {
			return expected(t, "bool")
		}
		if b == 't' {
			return c.word("true")
		}
		return c.word("false")
	}
	return errSyntax()
}

func (c *codec) nested(t cty.Type, read func(cty.Type) error) error {
	if c.depth++; c.depth > maxDepth {
		return errSyntax()
	}
	c.pos++
	err := read(t)
	c.depth--
	return err
}

// next reads what follows an element: a comma, or the closing bracket.
func (c *codec) next(end byte) (more bool, err error) {
	switch b := c.space(); b {
	case ',', end:
		c.pos++
		return b == ',', nil
	}
	return false, errSyntax()
}

// empty reads the closing bracket, if it follows the opening one.
func (c *codec) empty(end byte) bool {
	if c.space() != end {
		return false
	}
	c.pos++
	return true
}

func (c *codec) array(t cty.Type) error {
	var elem cty.Type
	var each []cty.Type
	switch {
	case t == cty.DynamicPseudoType:
		elem = t
	case t.IsListType() || t.IsSetType():
		elem = t.ElementType()
	case t.IsTupleType():
		each = t.TupleElementTypes()
	default:
		return expected(t, "list")
	}
	l := c.out.begin('[')
	n := 0
	for more := !c.empty(']'); more; n++ {
		if t.IsTupleType() {
			if elem = cty.DynamicPseudoType; n < len(each) {
				elem = each[n]
			}
		}
		c.out.element(l)
		var err error
		if err = c.value(elem); err == nil {
			more, err = c.next(']')
		}
		if err != nil {
			return below(err, fmt.Sprintf("[%d]", n))
		}
	}
	switch {
	case t.IsTupleType() && n != len(each):
		return &valueError{want: t, why: fmt.Sprintf("expected %d elements, found %d", len(each), n)}
	case t.IsSetType():
		if elem.HasDynamicTypes() && !c.out.sameShapes(l) {
			return &valueError{why: "the elements of a set must have the same type, and these have several"}
		}
		c.out.set(l)
	}
	c.out.end(l, ']')
	return nil
}

func (c *codec) object(t cty.Type) error {
	if t != cty.DynamicPseudoType && !t.IsMapType() && !t.IsObjectType() {
		return expected(t, "object")
	}
	attrs := attributeKeys{t: t}
	l := c.out.begin('{')
	for more := !c.empty('}'); more; {
		if c.space() != '"' {
			return errSyntax()
		}
		c.out.element(l)
		err := c.text()
		if err != nil {
			return below(err, "[…]")
		}
		c.out.key()
		at := c.out.current()
		if c.space() != ':' {
			return errSyntax()
		}
		c.pos++
		elem := t
		switch {
		case t.IsMapType():
			elem = t.ElementType()
		case t.IsObjectType():
			if elem, err = attrs.typeOf(c.out.keyAt(at), c.space() == 'n'); err != nil {
				return err
			}
		}
		if err = c.value(elem); err == nil {
			more, err = c.next('}')
		}
		if err != nil {
			return below(err, step(t, c.out.keyAt(at)))
		}
	}
	if t.IsObjectType() {
		if err := attrs.complete(&c.out, l); err != nil {
			return err
		}
	}
	if twice, ok := c.out.sort(l); !ok {
		return &valueError{why: fmt.Sprintf("not valid JSON: an object has the key %s twice", quote(twice))}
	}
	c.out.end(l, '}')
	return nil
}

// step is the part of a path that names a key.
func step(t cty.Type, key string) string {
	if t.IsObjectType() && plainName(key) {
		return "." + key
	}
	return "[" + quote(key) + "]"
}

// sameText reports two keys that are equal for expressions.
func sameText(a, b string) error {
	return &valueError{why: fmt.Sprintf("an object has two keys that are equal as Unicode text: %s and %s", quote(a), quote(b))}
}

func below(err error, step string) error {
	var wrong *valueError
	if errors.As(err, &wrong) {
		wrong.path = append(wrong.path, step)
	}
	return err
}

// valueError reports what is wrong with a part of a JSON value. It contains no values, except for keys.
type valueError struct {
	syntax bool     // it is not JSON, or has more digits or depth than a value may have
	null   bool     // there is a null
	path   []string // the innermost step first
	want   cty.Type
	found  string // the kind of what was found
	why    string
}

func errSyntax() error { return &valueError{syntax: true} }

func expected(t cty.Type, found string) error { return &valueError{want: t, found: found} }

func (e *valueError) at() string {
	var b strings.Builder
	for _, step := range slices.Backward(e.path) {
		b.WriteString(step)
	}
	return b.String()
}

func (e *valueError) Error() string {
	text := e.why
	if e.found != "" {
		text = fmt.Sprintf("expected %s, found %s", String(e.want), e.found)
	}
	if at := e.at(); at != "" {
		text += " at " + at
	}
	return text
}
