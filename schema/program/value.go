package program

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Refs returns the references that v reads at run time, sorted: "step.a.x", "param.p", "input.x", "output.y", "run.name".
func (v *Value) Refs() []string {
	switch {
	case v == nil:
		return nil
	case v.Ref != "":
		return []string{base(v.Ref)}
	case v.Expr != nil:
		return v.Expr.Refs
	}
	return nil
}

// Text returns how messages name v: its expression or its reference.
func (v *Value) Text() string {
	switch {
	case v.Expr != nil:
		return v.Expr.Text
	case v.Ref != "":
		return v.Ref
	}
	return "the value"
}

// Explain returns an error about the result of v. If the reason is a null, it names what is null.
func (v *Value) Explain(err error) error {
	var null *types.NullError
	switch {
	case !errors.As(err, &null) || v.Expr == nil && v.Ref == "":
		return err
	case null.Path == "":
		return fmt.Errorf("%s is null", v.Text())
	}
	return fmt.Errorf("%s: %w", v.Text(), err)
}

// base removes ".path" from a reference to an input or an output.
func base(ref string) string {
	if strings.HasPrefix(ref, "input.") || strings.HasPrefix(ref, "output.") {
		if parts := strings.SplitN(ref, ".", 3); len(parts) == 3 {
			return parts[0] + "." + parts[1]
		}
	}
	return ref
}

// Eval returns the value; see expr.Lookup for the calls of lookup. A constant has the type that its JSON implies: use
// types.Convert to convert it to the expected type.
func (v *Value) Eval(lookup expr.Lookup) (cty.Value, error) {
	switch {
	case v.Expr != nil:
		return v.Expr.Eval(lookup)
	case v.Ref != "":
		b := base(v.Ref)
		val, err := lookup(b)
		if err != nil || b == v.Ref {
			return val, err
		}
		if attr := v.Ref[len(b)+1:]; val.Type().IsObjectType() && val.Type().HasAttribute(attr) && !val.IsNull() {
			return val.GetAttr(attr), nil
		}
		return cty.NilVal, fmt.Errorf("%s does not have this attribute", v.Ref)
	case v.Const != nil:
		if bytes.Equal(v.Const, []byte("null")) {
			return cty.NullVal(cty.DynamicPseudoType), nil
		}
		return types.FromJSON(v.Const, cty.DynamicPseudoType)
	}
	return cty.NilVal, errors.New("a value in the program is empty")
}

// EvalAs evaluates v and converts the result to a type. Null is an error.
func (v *Value) EvalAs(lookup expr.Lookup, want cty.Type) (cty.Value, error) {
	val, err := v.Eval(lookup)
	if err != nil {
		return cty.NilVal, err
	}
	if val, err = types.Convert(val, want); err != nil {
		return cty.NilVal, v.Explain(err)
	}
	return val, nil
}
