package evaluate

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Type reads a type expression and reports its faults.
func Type(e hcl.Expression, diags *diag.List) (cty.Type, bool) {
	t, faults := types.Parse(e)
	for _, f := range faults {
		d := diag.New("invalid-type", f.Range, "%s", f.Summary)
		switch {
		case f.Meant != "":
			d = d.WithSuggestion("write %s", f.Meant).WithFix(f.Range, f.Meant)
		case f.Unknown != "":
			if d = d.DidYouMean(f.Unknown, types.Words()); d.Suggestion == "" {
				d = d.WithDetail("The types are %s.", strings.Join(types.Words(), ", "))
			}
		}
		diags.Add(d)
	}
	return t, len(faults) == 0
}

// converted converts v, the value of e, to the expected type, or reports why that isn't possible. The texts of numbers are kept.
func converted(v cty.Value, want cty.Type, e hcl.Expression, nullable bool, scope *Scope) (cty.Value, bool) {
	v, marks := types.Apart(v)
	if v.IsNull() && nullable {
		return cty.NullVal(want.WithoutOptionalAttributesDeep()), true
	}
	v = Texts(e, v, want)
	out, err := types.Convert(v, want)
	if err != nil {
		scope.diags.Add(Mismatch(e, v.Type(), want, err, scope.Source))
		return cty.NilVal, false
	}
	return out.WithMarks(marks), true
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// trimSentence turns another library's error into a summary.
func trimSentence(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(s, ".")
}
