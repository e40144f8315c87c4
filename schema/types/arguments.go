package types

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
)

// IsArguments returns nil if values of type t can be arguments of a command: a string, or a list or tuple of arguments. A null
// is left out, so that any can be one.
func IsArguments(t cty.Type) *Mismatch { return isArguments(t, "") }

func isArguments(t cty.Type, path string) *Mismatch {
	switch {
	case t.IsListType():
		return isArguments(t.ElementType(), path+"[*]")
	case t.IsTupleType():
		for i, e := range t.TupleElementTypes() {
			if m := isArguments(e, fmt.Sprintf("%s[%d]", path, i)); m != nil {
				return m
			}
		}
		return nil
	case t.IsSetType():
		return assignable(t, cty.List(cty.String), path)
	}
	return assignable(t, cty.String, path)
}

// Arguments returns the strings that v, an argument of a command, consists of: lists are flattened, and nulls are left out. The
// strings have the text that they carry.
func Arguments(v cty.Value) ([]string, error) { return arguments(nil, v, "") }

func arguments(out []string, v cty.Value, path string) ([]string, error) {
	if v.IsNull() {
		return out, nil
	}
	if t := v.Type(); !t.IsListType() && !t.IsTupleType() {
		if m := isArguments(t, path); m != nil {
			return nil, m
		}
		return append(out, Text(v)), nil
	}
	bare, part := Unmark(v)
	for it := bare.ElementIterator(); it.Next(); {
		i, e := it.Element()
		var err error
		if out, err = arguments(out, part(e), path+index(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
