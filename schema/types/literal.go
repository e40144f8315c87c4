package types

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Literal writes a value as the language would, on several lines where it is large: for people to read. Numbers have the text that
// they carry.
func Literal(v cty.Value) string {
	var b strings.Builder
	literal(&b, v, "")
	return b.String()
}

func literal(b *strings.Builder, v cty.Value, indent string) {
	v, part := Unmark(v)
	t := v.Type()
	switch {
	case !v.IsKnown():
		b.WriteString("(known at run time)")
	case v.IsNull():
		b.WriteString("null")
	case t == cty.String:
		b.WriteString(quoted(v.AsString()))
	case t == cty.Number:
		if text, ok := InTemplate(part(v)); ok && !UsualNumber(text) {
			b.WriteString(text)
			return
		}
		b.WriteString(number(v.AsBigFloat()))
	case t == cty.Bool:
		b.WriteString(strconv.FormatBool(v.True()))
	case t.IsSetType():
		b.WriteString("toset(")
		elements(b, v, part, indent)
		b.WriteString(")")
	case t.IsListType() || t.IsTupleType():
		elements(b, v, part, indent)
	case t.IsMapType() || t.IsObjectType():
		attributes(b, v, part, indent)
	default:
		b.WriteString(String(t))
	}
}

// number writes an exponent only if there would be many zeros.
func number(f *big.Float) string {
	if text := f.Text('f', -1); len(text) <= 40 {
		return text
	}
	return f.Text('g', -1)
}

func elements(b *strings.Builder, v cty.Value, part func(cty.Value) cty.Value, indent string) {
	if v.LengthInt() == 0 {
		b.WriteString("[]")
		return
	}
	b.WriteString("[\n")
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		b.WriteString(indent + "  ")
		literal(b, part(e), indent+"  ")
		b.WriteString(",\n")
	}
	b.WriteString(indent + "]")
}

func attributes(b *strings.Builder, v cty.Value, part func(cty.Value) cty.Value, indent string) {
	if v.LengthInt() == 0 {
		b.WriteString("{}")
		return
	}
	b.WriteString("{\n")
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		name := k.AsString()
		if !plainName(name) {
			name = quoted(name)
		}
		fmt.Fprintf(b, "%s  %s = ", indent, name)
		literal(b, part(e), indent+"  ")
		b.WriteString("\n")
	}
	b.WriteString(indent + "}")
}
