package infer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

func (w *walker) call(e *hclsyntax.FunctionCallExpr, text bool) cty.Type {
	f, known := w.scope.Function(e)
	if !known && e.Name == "last_success" {
		return cty.NilType // this is reported elsewhere; its arguments refer to pipelines, which nothing else does
	}
	soft := e.Name == "try" || e.Name == "coalesce"
	if soft {
		w.soft++
		defer func() { w.soft-- }()
	}
	if e.Name == "try" || e.Name == "can" {
		return w.attempts(e, f, known, text)
	}
	args := make([]cty.Type, len(e.Args))
	good := known
	for i, arg := range e.Args {
		args[i] = w.node(arg, text && passesText(e.Name, i))
		good = good && args[i] != cty.NilType
	}
	switch {
	case !known:
		return cty.NilType
	case !w.count(e, f):
		return cty.NilType
	case !good:
		return cty.NilType
	case soft:
		return w.first(e, args)
	}
	return w.result(e, f, args)
}

// count reports a wrong number of arguments.
func (w *walker) count(e *hclsyntax.FunctionCallExpr, f function.Function) bool {
	least, most := len(f.Params()), len(f.Params())
	if f.VarParam() != nil {
		most = -1
	}
	n := len(e.Args)
	if least == 0 && most < 0 {
		least = 1 // every such function needs at least one argument for a result
	}
	switch {
	case e.ExpandFinal && (most < 0 || n-1 <= most):
		return true
	case n >= least && (most < 0 || n <= most):
		return true
	}
	var names []string
	for _, p := range f.Params() {
		names = append(names, p.Name)
	}
	if p := f.VarParam(); p != nil {
		names = append(names, p.Name+"...")
	}
	given := fmt.Sprintf("%d arguments", n)
	if n == 1 {
		given = "1 argument"
	}
	w.diags.Add(diag.New("function-call", e.Range(), "wrong number of arguments for %s: expected (%s), found %s", e.Name, strings.Join(names, ", "), given))
	return false
}

// first returns the type of try and coalesce: the one type of all arguments.
func (w *walker) first(e *hclsyntax.FunctionCallExpr, args []cty.Type) cty.Type {
	if e.ExpandFinal {
		return w.fault("function-call", e.Range(), "%s takes its arguments one by one, without ...", e.Name)
	}
	u, first := cty.DynamicPseudoType, -1
	for i, t := range args {
		switch {
		case t == cty.NilType || isNull(e.Args[i]):
		case first < 0:
			u, first = t, i
		default:
			next, ok := unify(u, t)
			if !ok {
				return w.ofValue(diag.New("type-mismatch", e.Args[i].Range(), "the arguments of %s must have one type: expected %s, found %s", e.Name, types.Phrase(u), types.Phrase(t)).
					WithRelated(e.Args[first].Range(), "this is %s", types.Phrase(args[first])))
			}
			u = next
		}
	}
	return u
}

// countsOnly are the functions that read how many elements a collection has, or their names, and no element.
var countsOnly = map[string]bool{"length": true, "keys": true}

func (w *walker) result(e *hclsyntax.FunctionCallExpr, f function.Function, args []cty.Type) cty.Type {
	if e.ExpandFinal {
		return w.expanded(e, f, args)
	}
	for i, t := range args {
		p := parameter(f, i)
		if p == nil || p.Type == cty.DynamicPseudoType {
			if types.HasArtifact(t) && !(countsOnly[e.Name] && !types.IsArtifact(t)) {
				if !types.IsArtifact(t) {
					return w.fault("type-mismatch", e.Args[i].Range(), "%s takes values, but this contains artifacts: %s", e.Name, types.Phrase(t))
				}
				return w.fault("type-mismatch", e.Args[i].Range(), "%s takes values, but this is an artifact: %s", e.Name, types.Phrase(t))
			}
			continue
		}
		if m := types.Assignable(t, p.Type); m != nil {
			return w.ofValue(wrongArgument(e, f, i, t, m))
		}
	}
	values := make([]cty.Value, len(args))
	for i, t := range args {
		values[i] = unknown(t)
		if p := parameter(f, i); p != nil {
			values[i] = argument(t, p.Type)
		}
		if text, _, ok := literalString(e.Args[i]); ok {
			values[i] = cty.StringVal(text)
		} else if lit, ok := e.Args[i].(*hclsyntax.LiteralValueExpr); ok {
			values[i] = lit.Val
		}
	}
	if t, ok := ownType(e.Name, args); ok {
		return t
	}
	t, err := f.ReturnTypeForValues(values)
	if err != nil {
		at := e.Range()
		if p := (function.PanicError{}); errors.As(err, &p) {
			return cty.DynamicPseudoType // some functions of go-cty panic on unknown arguments, for which the call may be valid
		}
		var arg function.ArgError
		if errors.As(err, &arg) && arg.Index >= 0 && arg.Index < len(e.Args) {
			at = e.Args[arg.Index].Range()
		}
		return w.valueFault("function-call", at, "%s: %v", e.Name, err)
	}
	return t
}

// argument returns an unknown value for an argument of type t, as the parameter receives it: ["a", "b"] becomes a list if
// the parameter is a list, and what is any is checked when it is known.
func argument(t, want cty.Type) cty.Value {
	if t == cty.DynamicPseudoType {
		return unknown(want)
	}
	v := unknown(t)
	if want == cty.DynamicPseudoType || v.Type() == cty.DynamicPseudoType {
		return v
	}
	as, err := convert.Convert(v, want)
	if err != nil {
		return v
	}
	return unknown(as.Type())
}

// unknown returns an unknown value for an argument of type t. A type that contains `any` is `any` as a whole, because the
// functions would assume the type of its neighbors for it.
func unknown(t cty.Type) cty.Value {
	if t.HasDynamicTypes() {
		return cty.DynamicVal
	}
	return cty.UnknownVal(t.WithoutOptionalAttributesDeep())
}

// expanded returns the type of a call whose last argument is a list that is passed element by element. If the type is the
// same for one element and for two, it doesn't depend on their number.
func (w *walker) expanded(e *hclsyntax.FunctionCallExpr, f function.Function, args []cty.Type) cty.Type {
	last, rest := args[len(args)-1], args[:len(args)-1]
	at := e.Args[len(e.Args)-1]
	if last == cty.DynamicPseudoType {
		return last
	}
	if !last.IsListType() && !last.IsSetType() && !last.IsTupleType() {
		return w.valueFault("type-mismatch", at.Range(), "... expands a list: expected a list, found %s", types.Phrase(last))
	}
	_, elem, _ := w.elements(last, at.Range())
	for i := range e.Args {
		t, p := elem, parameter(f, i)
		if i < len(rest) {
			t = rest[i]
		}
		if p == nil || types.HasArtifact(t) {
			return w.fault("type-mismatch", e.Args[i].Range(), "%s doesn't accept this argument: %s", e.Name, types.Phrase(args[i]))
		}
		if m := types.Assignable(t, p.Type); m != nil {
			return w.ofValue(wrongArgument(e, f, i, t, m))
		}
	}
	var got [2]cty.Type
	for n := range got {
		var values []cty.Value
		for _, t := range append(append([]cty.Type{}, rest...), []cty.Type{elem, elem}[:n+1]...) {
			values = append(values, unknown(t))
		}
		t, err := f.ReturnTypeForValues(values)
		if err != nil {
			return cty.DynamicPseudoType
		}
		got[n] = t
	}
	if got[0].Equals(got[1]) {
		return got[0]
	}
	return cty.DynamicPseudoType
}

func wrongArgument(e *hclsyntax.FunctionCallExpr, f function.Function, i int, t cty.Type, m *types.Mismatch) diag.Diagnostic {
	p := parameter(f, i)
	d := diag.New("function-call", e.Args[i].Range(), "expected %s for argument %q of %s, found %s", types.Phrase(p.Type), p.Name, e.Name, types.Phrase(t))
	switch {
	case i >= len(f.Params()) && i == len(e.Args)-1 && types.Assignable(t, cty.List(p.Type)) == nil:
		d = d.WithSuggestion("write ... after it to pass its elements one by one")
	case m.Hint != "":
		d = d.WithSuggestion("%s", m.Hint)
	case m.Path != "":
		d = d.WithDetail("%s.", m.Error())
	}
	return d
}

func parameter(f function.Function, i int) *function.Parameter {
	if ps := f.Params(); i < len(ps) {
		return &ps[i]
	}
	return f.VarParam()
}
