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

// docs describe the functions that have no description of their own, or one that is not true here.
var docs = map[string]string{
	"can":        "Reports whether its argument can be evaluated without an error. It catches what depends on values, such as a missing attribute. A name that is not declared is still an error.",
	"csvdecode":  "Parses CSV (RFC 4180) into a list with an object for each row. The first row has the names.",
	"format":     "Formats values as text, with verbs like those of C's printf.",
	"formatlist": "Formats each element of lists as text, with verbs like those of C's printf, and returns the list of texts.",
	"range":      "Returns the list of numbers from a start (default 0) to an end, which is excluded, in increments of a step (default 1).",
	"slice":      "Returns the elements of a list from a start index to an end index, which is excluded.",
	"tobool":     "Converts a value to a bool, or fails.",
	"tolist":     "Converts a tuple or a set to a list of elements of one type.",
	"tomap":      "Converts an object to a map of elements of one type.",
	"tonumber":   "Converts a value to a number, or fails.",
	"toset":      "Converts a list to a set, which has no order and no duplicates.",
	"tostring":   "Converts a value to a string, or fails.",
	"zipmap":     "Returns a map from a list of keys and a list of values of the same length.",
}

// FunctionDoc returns the description of a function.
func FunctionDoc(name string, f function.Function) string { return cmp.Or(docs[name], f.Description()) }

// Parameters returns the parameters of a function as its signature writes them.
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

// Signature returns how a function is called, with the type of its result if the types of its parameters determine it.
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
