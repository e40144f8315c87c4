package values

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

// Arguments checks v, the value of x, as an element of a command: a string, a list of such elements, or null, which is
// left out. A constant is returned as the strings that it consists of, with the expressions of these; any other value is evaluated
// and flattened at run time. It returns false if v is invalid.
func (e *Evaluator) Arguments(v *model.Value, x hcl.Expression) (args []*model.Value, from []hcl.Expression, ok bool) {
	switch {
	case v == nil:
		return nil, nil, false
	case v.Const != cty.NilVal:
		return e.constants(v.Written, x)
	case isSequence(v.Type):
		if m := types.IsArguments(v.Type); m != nil {
			e.mismatch(v, m.To, x, hcl.Range{}, m)
			return nil, nil, false
		}
	case !e.Assign(v, cty.String, x, hcl.Range{}):
		return nil, nil, false
	}
	return []*model.Value{v}, []hcl.Expression{x}, true
}

func isSequence(t cty.Type) bool { return t.IsListType() || t.IsTupleType() }

func (e *Evaluator) constants(v cty.Value, x hcl.Expression) (args []*model.Value, from []hcl.Expression, ok bool) {
	switch {
	case v.IsNull():
		return nil, nil, true
	case !isSequence(v.Type()):
		arg := model.Constant(v)
		if v.Type().IsSetType() {
			e.mismatch(arg, cty.List(cty.String), x, hcl.Range{}, types.IsArguments(v.Type()))
			return nil, nil, false
		}
		if !e.Assign(arg, cty.String, x, hcl.Range{}) {
			return nil, nil, false
		}
		return []*model.Value{arg}, []hcl.Expression{x}, true
	}
	bare, part := types.Unmark(v)
	written := e.project.Values.Follow(x)
	ok = true
	for i, elem := range bare.AsValueSlice() {
		more, exprs, good := e.constants(part(elem), evaluate.Inner(written, fmt.Sprintf("[%d]", i)))
		args, from, ok = append(args, more...), append(from, exprs...), ok && good
	}
	return args, from, ok
}
