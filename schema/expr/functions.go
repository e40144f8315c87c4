package expr

import (
	"errors"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"pipec.dev/pipec/schema/types"
)

// Functions returns the functions that can be called at run time, by name. They are pure, so that the same inputs give the same
// run; only the compiler reads files. The map is shared and must not be changed.
var Functions = sync.OnceValue(func() map[string]function.Function {
	all, limits := functions(), limits()
	for name, f := range all {
		all[name] = checked(f, limits[name])
	}
	return all
})

func functions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": powFunc(),
		"signum": stdlib.SignumFunc, "sum": sumFunc(), "alltrue": allTrueFunc(), "anytrue": anyTrueFunc(),

		"chomp": stdlib.ChompFunc, "format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc,
		"indent": stdlib.IndentFunc, "join": stdlib.JoinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc,
		"regexall": stdlib.RegexAllFunc, "replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc,
		"strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc,
		"startswith":   affixFunc("Reports whether a string starts with a prefix.", strings.HasPrefix),
		"endswith":     affixFunc("Reports whether a string ends with a suffix.", strings.HasSuffix),
		"base64decode": base64DecodeFunc(), "base64encode": base64EncodeFunc(), "basename": basenameFunc(), "dirname": dirnameFunc(),
		"sha256": sha256Func(), "strcontains": containsTextFunc(), "urlencode": urlEncodeFunc(),

		"chunklist": chunklistFunc(), "coalescelist": coalesceListFunc(), "compact": compactFunc(),
		"concat": concatFunc(), "contains": containsFunc(), "distinct": distinctFunc(),
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc,
		"index": indexFunc(), "length": lengthFunc(), "lookup": lookupFunc(), "merge": mergeFunc(), "one": oneFunc(), "range": rangeFunc(),
		"reverse": stdlib.ReverseListFunc, "setintersection": setIntersection(), "setproduct": productFunc(),
		"setsubtract": setSubtract(), "setunion": setUnion(), "slice": stdlib.SliceFunc, "sort": sortFunc(),
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"csvdecode": csvDecodeFunc(), "jsondecode": jsonDecodeFunc(types.Implied), "jsonencode": stdlib.JSONEncodeFunc,
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,

		"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
		"tolist": ofOneType(cty.List(cty.DynamicPseudoType)), "tomap": ofOneType(cty.Map(cty.DynamicPseudoType)),
		"toset": ofOneType(cty.Set(cty.DynamicPseudoType)),

		"can": tryfunc.CanFunc, "try": firstFunc(tryDoc, true), "coalesce": firstFunc(coalesceDoc, false),
	}
}

const (
	tryDoc      = "Returns its first argument that can be evaluated and is not null. The last argument may be null, except for an output of a skipped step. It passes over what fails because of values, such as a missing attribute. A name that is not declared is still an error. A reference inside is soft: it reads as null if its step was skipped."
	coalesceDoc = "Returns its first argument that is not null (an empty string is not null). A reference inside is soft: it reads as null if its step was skipped."
)

// everyNull is the error of try and coalesce if they have nothing to return.
const everyNull = "every argument is null"

func affixFunc(doc string, has func(s, affix string) bool) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{{Name: "str", Type: cty.String}, {Name: "affix", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(has(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// lengthFunc is the standard library's, and counts the characters of a string too.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Description: "Returns how many elements a list, a set, a map, a tuple or an object has, or how many characters a string has.",
		Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			t := args[0].Type()
			if t != cty.DynamicPseudoType && t != cty.String && !t.IsCollectionType() && !t.IsTupleType() && !t.IsObjectType() {
				return cty.NilType, function.NewArgErrorf(0, "a %s has no length", t.FriendlyName())
			}
			return cty.Number, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch t := args[0].Type(); {
			case t == cty.String:
				return stdlib.Strlen(args[0])
			case t.IsObjectType():
				return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
			}
			return stdlib.Length(args[0])
		},
	})
}

// firstFunc is try (errors are passed over) and coalesce (they are not, but for an attribute of something that is null).
func firstFunc(doc string, pastErrors bool) function.Function {
	first := func(args []cty.Value) (cty.Value, error) {
		if len(args) == 0 {
			return cty.NilVal, errors.New("expected at least one argument")
		}
		var failed error
		for i, arg := range args {
			closure := customdecode.ExpressionClosureFromVal(arg)
			v, diags := closure.Value()
			switch {
			case pastErrors && i == len(args)-1 && !diags.HasErrors() && v.IsNull() && !readsNull(closure):
				return v, nil // the fallback is null: try(var.x.y, null)
			case diags.HasErrors() && (pastErrors || readsNull(closure)):
				failed = errors.New(sentence(diags[0]))
			case diags.HasErrors():
				return cty.NilVal, errors.New(sentence(diags[0]))
			case !v.IsKnown():
				return cty.DynamicVal, nil
			case !v.IsNull():
				return v, nil
			}
		}
		if failed != nil && pastErrors {
			return cty.NilVal, failed
		}
		return cty.NilVal, errors.New(everyNull)
	}
	return function.New(&function.Spec{
		Description: doc,
		VarParam:    &function.Parameter{Name: "values", Type: customdecode.ExpressionClosureType},
		// The type is found with the value: finding it here would evaluate the arguments twice, and those of a call
		// inside of a call four times.
		Type: function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return first(args) },
	})
}

// readsNull reports whether the closure reads `step.x.y…` where step.x.y is null: its step was skipped.
func readsNull(c *customdecode.ExpressionClosure) bool {
	null := false
	look := func(t hcl.Traversal) {
		if v, diags := t.TraverseAbs(c.EvalContext); !diags.HasErrors() && v.IsNull() {
			null = true
		}
	}
	for _, t := range c.Expression.Variables() {
		switch {
		case t.RootName() == collected && len(t) >= 2:
			look(t[:2])
		case t.RootName() == "step" && len(t) >= 3:
			n := 3
			if _, index := t[2].(hcl.TraverseIndex); index && len(t) > 3 {
				n = 4
			}
			look(t[:n])
		}
	}
	node, ok := c.Expression.(hclsyntax.Node)
	if !ok || null {
		return null
	}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics { // step.x[each.key].y
		rel, ok := n.(*hclsyntax.RelativeTraversalExpr)
		if !ok {
			return nil
		}
		if _, ok := rel.Source.(*hclsyntax.IndexExpr); ok {
			v, diags := (&hclsyntax.RelativeTraversalExpr{Source: rel.Source, Traversal: rel.Traversal[:1]}).Value(c.EvalContext)
			null = null || !diags.HasErrors() && v.IsNull()
		}
		return nil
	})
	return null
}
