package yaml

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/zclconf/go-cty/cty"
	lib "go.yaml.in/yaml/v4"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// Decode returns the value of a document that is data: text in it is text, also if it contains ${…}. It has the limits of
// source files.
func Decode(src []byte) (cty.Value, error) {
	p := newPlaces("", src)
	if len(src) > types.MaxValue {
		return cty.NilVal, fmt.Errorf("the text has %d bytes, but the limit is %d", len(src), types.MaxValue)
	}
	if d := p.gate(); d != nil {
		return cty.NilVal, atLine(d)
	}
	node, d := p.document()
	switch {
	case d != nil:
		return cty.NilVal, atLine(d)
	case node == nil:
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	r := reader{places: p, tree: &Tree{places: p}}
	v := r.value(node, anything, language.Const, 0)
	if len(r.tree.told) > 0 {
		return cty.NilVal, atLine(&r.tree.told[0])
	}
	return v.data(), nil
}

// atLine returns a diagnostic as an error.
func atLine(d *diag.Diagnostic) error {
	return fmt.Errorf("line %d: %s", d.Range.Start.Line, d.Summary)
}

// data returns what a value is if its text is not a template.
func (v *Value) data() cty.Value {
	switch v.Kind {
	case Bool:
		return cty.BoolVal(v.Text == "true")
	case Number:
		if n, err := types.Decode([]byte(v.Text)); err == nil { // with its text: 1.0 is not written as 1
			return n
		}
		return v.Number // a number that JSON writes in another way
	case Template, Bare:
		return cty.StringVal(v.Text)
	case List:
		elems := make([]cty.Value, len(v.Elements))
		for i, e := range v.Elements {
			elems[i] = e.data()
		}
		return cty.TupleVal(elems)
	case Map:
		attrs := make(map[string]cty.Value, len(v.Elements))
		for i, e := range v.Elements {
			attrs[cty.NormalizeString(v.Keys[i].Text)] = e.data()
		}
		return cty.ObjectVal(attrs)
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// Encode writes a value, which must be known, as a document. Decode returns the same data.
func Encode(v cty.Value) ([]byte, error) {
	n, err := encoded(v, 0)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := lib.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	if b.Len() > types.MaxValue {
		return nil, fmt.Errorf("the text would have %d bytes, but the limit is %d", b.Len(), types.MaxValue)
	}
	return b.Bytes(), nil
}

func encoded(v cty.Value, depth int) (*lib.Node, error) {
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case depth > expr.MaxNesting:
		return nil, fmt.Errorf("nested more than %d deep", expr.MaxNesting)
	case v.IsNull():
		return &lib.Node{Kind: lib.ScalarNode, Tag: "!!null", Value: "null"}, nil
	case t == cty.String:
		return text(v.AsString()), nil
	case t == cty.Bool:
		return &lib.Node{Kind: lib.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v.True())}, nil
	case t == cty.Number:
		data, err := types.ToJSON(v)
		return &lib.Node{Kind: lib.ScalarNode, Value: string(data)}, err
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		n := &lib.Node{Kind: lib.SequenceNode, Tag: "!!seq"}
		for _, e := range v.AsValueSlice() {
			child, err := encoded(e, depth+1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		return n, nil
	case t.IsMapType() || t.IsObjectType():
		n := &lib.Node{Kind: lib.MappingNode, Tag: "!!map"}
		attrs := v.AsValueMap()
		for _, key := range slices.Sorted(maps.Keys(attrs)) {
			child, err := encoded(attrs[key], depth+1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, text(key), child)
		}
		return n, nil
	}
	return nil, fmt.Errorf("%s is not data", types.Phrase(t))
}

// text returns text that neither this reader nor one of YAML 1.1 takes for a value of another kind.
func text(s string) *lib.Node {
	n := &lib.Node{Kind: lib.ScalarNode, Tag: "!!str", Value: s}
	if plainKind(s, false) != Template || oldBool.MatchString(s) || octal.MatchString(s) || s == "<<" || s == "=" {
		n.Style = lib.DoubleQuotedStyle
	}
	return n
}

// oldBool matches the bools of YAML 1.1, which are text in YAML 1.2.
var oldBool = regexp.MustCompile(`^(?i:y|yes|n|no|on|off)$`)
