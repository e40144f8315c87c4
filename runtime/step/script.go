package step

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// script returns the arguments of the process of a Python script: the interpreter, the script and its options.
func (s *Spec) script() ([]string, *failure) {
	args := []string{s.interpreter(), "-u", s.Program.Script}
	if s.Program.Args == nil {
		return args, nil
	}
	v, err := s.Program.Args.Eval(s.lookup())
	if err != nil {
		return nil, userFailure(record.ReasonExpression, "args can't be evaluated: %s", err)
	}
	v, part := types.Unmark(v)
	t := v.Type()
	switch {
	case v.IsNull():
		return args, nil
	case t.IsObjectType() || t.IsMapType():
		values := v.AsValueMap()
		for _, name := range slices.Sorted(maps.Keys(values)) {
			option, why := optionOf(name, part(values[name]))
			if why != "" {
				return nil, userFailure(record.ReasonExpression, "args.%s: %s", name, why)
			}
			args = append(args, option...)
		}
		return args, nil
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		texts, why := elements(v, part)
		if why != "" {
			return nil, userFailure(record.ReasonExpression, "args: %s", why)
		}
		return append(args, texts...), nil
	}
	return nil, userFailure(record.ReasonExpression, "args must be a map of options or a list of strings, found %s", types.Phrase(t))
}

// optionOf returns the arguments of an option. A name that starts with - is used as it is.
func optionOf(name string, v cty.Value) (args []string, why string) {
	if !strings.HasPrefix(name, "-") {
		name = "--" + strings.ReplaceAll(name, "_", "-")
	}
	v, part := types.Unmark(v)
	t := v.Type()
	switch {
	case v.IsNull():
		return nil, ""
	case t == cty.Bool && v.True():
		return []string{name}, ""
	case t == cty.Bool:
		return nil, ""
	case t.IsPrimitiveType():
		text, err := textOf(part(v))
		if err != nil {
			return nil, err.Error()
		}
		if strings.HasPrefix(name, "--") {
			return []string{name + "=" + text}, "" // also of a value that starts with -
		}
		return []string{name, text}, ""
	case t.IsListType() || t.IsTupleType() || t.IsSetType():
		texts, why := elements(v, part)
		if len(texts) == 0 || why != "" {
			return nil, why
		}
		return append([]string{name}, texts...), ""
	}
	return nil, fmt.Sprintf("an option is a string, a number, a bool or a list of them, found %s; jsonencode makes it a string", types.Phrase(t))
}

// elements returns the texts of the elements of a list. Lists inside are flattened, and nulls are left out.
func elements(v cty.Value, part func(cty.Value) cty.Value) (texts []string, why string) {
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		e = part(e)
		plain, inner := types.Unmark(e)
		switch t := plain.Type(); {
		case plain.IsNull():
		case t.IsPrimitiveType():
			text, err := textOf(e)
			if err != nil {
				return nil, err.Error()
			}
			texts = append(texts, text)
		case t.IsListType() || t.IsTupleType() || t.IsSetType():
			more, why := elements(plain, inner)
			if why != "" {
				return nil, why
			}
			texts = append(texts, more...)
		default:
			return nil, fmt.Sprintf("an element is %s, and can only be a string, a number, a bool or a list of them", types.Phrase(t))
		}
	}
	return texts, ""
}

// textOf returns the text of a string, a number or a bool. A number has the text that it was written with.
func textOf(v cty.Value) (string, error) {
	if plain, _ := types.Unmark(v); plain.Type() == cty.String {
		return types.Text(v), nil
	}
	data, err := types.ToJSON(v)
	return string(data), err
}
