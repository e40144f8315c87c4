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

func (w *walker) call(e *hclsyntax.FunctionCallExpr) cty.Type {
	f, known := w.scope.Function(e)
	if !known && e.Name == "last_success" {
		return cty.NilType // it is told; its arguments refer to pipelines, which nothing else does
	}
	soft := e.Name == "try" || e.Name == "coalesce"
	if soft {
		w.soft++
		defer func() { w.soft-- }()
	}
	args := make([]cty.Type, len(e.Args))
	good := known
	for i, arg := range e.Args {
		args[i] = w.typ(arg)
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
	case e.Name == "can":
		return cty.Bool
	}
	return w.result(e, f, args)
}

// count tells a wrong number of arguments.
func (w *walker) count(e *hclsyntax.FunctionCallExpr, f function.Function) bool {
	least, most := len(f.Params()), len(f.Params())
	if f.VarParam() != nil {
		most = -1
	}
	n := len(e.Args)
	if least == 0 && most < 0 {
		least = 1 // there is none that makes something of nothing
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
	w.diags.Add(diag.New("function-call", e.Range(), "%s is called with %s, and takes (%s)", e.Name, given, strings.Join(names, ", ")))
	return false
}

// first is the type of try and coalesce: the one type of all arguments.
func (w *walker) first(e *hclsyntax.FunctionCallExpr, args []cty.Type) cty.Type {
	if e.ExpandFinal {
		return w.fault("function-call", e.Range(), "%s takes its arguments one by one, without ...", e.Name)
	}
	u, first := cty.DynamicPseudoType, -1
	for i, t := range args {
		switch {
		case isNull(e.Args[i]):
		case first < 0:
			u, first = t, i
		default:
			next, ok := unify(u, t)
			if !ok {
				w.diags.Add(diag.New("type-mismatch", e.Args[i].Range(), "the arguments of %s have one type, and this is %s, not %s", e.Name, types.Phrase(t), types.Phrase(u)).
					WithRelated(e.Args[first].Range(), "this is %s", types.Phrase(args[first])))
				return cty.NilType
			}
			u = next
		}
	}
	return u
}

func (w *walker) result(e *hclsyntax.FunctionCallExpr, f function.Function, args []cty.Type) cty.Type {
	if e.ExpandFinal {
		return w.expanded(e, f, args)
	}
	for i, t := range args {
		p := parameter(f, i)
		if p == nil || p.Type == cty.DynamicPseudoType {
			if types.HasArtifact(t) {
				return w.fault("type-mismatch", e.Args[i].Range(), "%s takes values, and this is an artifact: %s", e.Name, types.Phrase(t))
			}
			continue
		}
		if m := types.Assignable(t, p.Type); m != nil {
			w.diags.Add(wrongArgument(e, f, i, t, m))
			return cty.NilType
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
		var arg function.ArgError
		if errors.As(err, &arg) && arg.Index >= 0 && arg.Index < len(e.Args) {
			at = e.Args[arg.Index].Range()
		}
		return w.fault("function-call", at, "%s: %v", e.Name, err)
	}
	return t
}

// argument stands for an argument of type t as a parameter gets it: what is written as ["a", "b"] is a list where one is
// wanted, and what is any is checked when it is known.
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

// unknown stands for an argument of type t. What holds `any` is `any` as a whole: the functions would take any in it for
// the type of its neighbours.
func unknown(t cty.Type) cty.Value {
	if t.HasDynamicTypes() {
		return cty.DynamicVal
	}
	return cty.UnknownVal(t.WithoutOptionalAttributesDeep())
}

// expanded is the type of a call whose last argument is a list that is given element by element. Where it is the same
// for one element and for two, it doesn't depend on how many there are.
func (w *walker) expanded(e *hclsyntax.FunctionCallExpr, f function.Function, args []cty.Type) cty.Type {
	last, rest := args[len(args)-1], args[:len(args)-1]
	at := e.Args[len(e.Args)-1]
	if last == cty.DynamicPseudoType {
		return last
	}
	if !last.IsListType() && !last.IsSetType() && !last.IsTupleType() {
		return w.fault("type-mismatch", at.Range(), "... takes a list apart, and this is %s", types.Phrase(last))
	}
	_, elem, _ := w.elements(last, at.Range())
	for i := range e.Args {
		t, p := elem, parameter(f, i)
		if i < len(rest) {
			t = rest[i]
		}
		if p == nil || types.HasArtifact(t) {
			return w.fault("type-mismatch", e.Args[i].Range(), "%s can't take this: %s", e.Name, types.Phrase(args[i]))
		}
		if m := types.Assignable(t, p.Type); m != nil {
			w.diags.Add(wrongArgument(e, f, i, t, m))
			return cty.NilType
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
	d := diag.New("function-call", e.Args[i].Range(), "%s wants %s for its argument %q, and this is %s", e.Name, types.Phrase(p.Type), p.Name, types.Phrase(t))
	switch {
	case i >= len(f.Params()) && i == len(e.Args)-1 && types.Assignable(t, cty.List(p.Type)) == nil:
		d = d.WithSuggestion("write ... behind it to give its elements one by one")
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
