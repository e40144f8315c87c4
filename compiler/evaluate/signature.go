package evaluate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/types"
)

// docs say what a function does whose own description is missing, or says what is not so here.
var docs = map[string]string{
	"can":        "Says whether its argument can be evaluated without an error. A name that is not declared is an error all the same.",
	"csvdecode":  "Reads CSV (RFC 4180): a list with an object for each row, by the names in the first.",
	"format":     "Fills values into a text, by verbs like those of C's printf.",
	"formatlist": "Fills each value of lists into a text, by verbs like those of C's printf, and returns the list of texts.",
	"range":      "Returns the list of numbers from a start (0 without one) up to but without an end, by a step (1 without one).",
	"slice":      "Returns the elements of a list from one index up to but without another.",
	"tobool":     "Turns a value into a bool, and is an error where that can't be.",
	"tolist":     "Turns a tuple or a set into a list of elements of one type.",
	"tomap":      "Turns an object into a map of elements of one type.",
	"tonumber":   "Turns a value into a number, and is an error where that can't be.",
	"toset":      "Turns a list into a set: without order, each element once.",
	"tostring":   "Turns a value into a string, and is an error where that can't be.",
	"zipmap":     "Makes a map of a list of keys and a list of values, which have the same length.",
}

// FunctionDoc says what a function does.
func FunctionDoc(name string, f function.Function) string { return cmp.Or(docs[name], f.Description()) }

// Parameters are how the parameters of a function are written in its signature.
func Parameters(f function.Function) []string {
	var parts []string
	for _, p := range f.Params() {
		parts = append(parts, p.Name+": "+paramType(p.Type))
	}
	if v := f.VarParam(); v != nil {
		parts = append(parts, "..."+v.Name+": "+paramType(v.Type))
	}
	return parts
}

// Signature is how a function is called, and the type of its result where the types of its parameters say it.
func Signature(name string, f function.Function) string {
	var args []cty.Type
	for _, p := range f.Params() {
		args = append(args, p.Type)
	}
	if v := f.VarParam(); v != nil {
		args = append(args, v.Type)
	}
	result := cty.DynamicPseudoType
	if t, err := f.ReturnType(args); err == nil && !slices.ContainsFunc(args, isExpression) {
		result = t
	}
	return name + "(" + strings.Join(Parameters(f), ", ") + ") → " + types.String(result)
}

func isExpression(t cty.Type) bool { return t == customdecode.ExpressionClosureType }

func paramType(t cty.Type) string {
	if isExpression(t) {
		return "expression"
	}
	return types.String(t)
}
