package expr

import (
	"bytes"
	"encoding/json"
	"regexp"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// flagged matches a verb that doesn't write a number as a template does: %#v is JSON, and %+v has a sign.
var flagged = regexp.MustCompile(`%[-0-9.\[\]]*[#+ ]`)

// formatted returns the arguments of a call that cuts or joins text, in which numbers that carry a text are strings with that text. %s
// and %v write them as a template does, and %d and others convert them to the same number. So does join with a list of type any.
func formatted(e *hclsyntax.FunctionCallExpr, args []*fixed) ([]*fixed, bool) {
	formats := e.Name == "format" || e.Name == "formatlist"
	if formats && len(args) > 0 {
		if f, ok := types.InTemplate(args[0].v); !ok || flagged.MatchString(f) {
			return nil, false
		}
	}
	out := append([]*fixed{}, args...)
	changed := false
	for i := range args {
		list := e.Name != "format" || e.ExpandFinal && i == len(args)-1
		v, ok := numbersAsText(args[i].v, list)
		if ok {
			out[i] = &fixed{args[i].Expression, v, args[i].diags}
		}
		changed = changed || ok
	}
	return out, changed
}

// numbersAsText returns the text of a number or of a collection. If list is true, a list becomes one with the texts of its elements.
func numbersAsText(v cty.Value, list bool) (cty.Value, bool) {
	if v.IsNull() || !v.IsWhollyKnown() || !types.HasForms(v) {
		return v, false
	}
	t := v.Type()
	switch {
	case t == cty.Number:
		text, ok := types.InTemplate(v)
		return types.Replaced(v, text), ok
	case t.IsPrimitiveType():
		return v, false
	case list && (t.IsListType() || t.IsSetType() || t.IsTupleType()):
		elems, marks := elements(v)
		changed := false
		for i := range elems {
			var ok bool
			elems[i], ok = numbersAsText(elems[i], false)
			changed = changed || ok
		}
		return cty.TupleVal(elems).WithMarks(marks), changed
	}
	data, err := types.ToJSON(v)
	if err != nil {
		return v, false
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, data) // as without texts
	return types.Replaced(v, escaped.String()), true
}
