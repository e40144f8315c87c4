package evaluate

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Type reads a type expression and reports its faults.
func Type(e hcl.Expression, diags *diag.List) (cty.Type, bool) {
	t, faults := types.Parse(e)
	return t, valid(faults, diags)
}

// TypeWith is Type for a type whose optional attributes may have defaults, which are literals.
func (w *Project) TypeWith(e hcl.Expression) (cty.Type, *types.Defaults, bool) {
	return typeWith(e, w.Scope.Source, w.Diags)
}

func typeWith(e hcl.Expression, sources expr.Sources, diags *diag.List) (cty.Type, *types.Defaults, bool) {
	t, defaults, faults := types.ParseWith(e, func(e hcl.Expression) (cty.Value, error) {
		node, ok := e.(hclsyntax.Expression)
		if !ok || len(e.Variables()) > 0 {
			return cty.NilVal, errors.New("a default in a type must be a literal: it can't contain references")
		}
		v, hclDiags, panicked := run(node, nil)
		if panicked != nil || hclDiags.HasErrors() || !v.IsWhollyKnown() || repeatedKey(e) != nil {
			return cty.NilVal, errors.New("a default in a type must be a literal: it can't call functions or fail")
		}
		return written(v, node, sources, nil, nil), nil
	})
	return t, defaults, valid(faults, diags)
}

// valid reports the faults of a type, and whether there are none.
func valid(faults []types.Fault, diags *diag.List) bool {
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
	return len(faults) == 0
}

// converted converts v, the value of e, to the expected type, or reports why that isn't possible. The texts of numbers are kept.
func converted(v cty.Value, want cty.Type, e hcl.Expression, nullable bool, scope *Scope) (cty.Value, bool) {
	return convertedWith(v, want, nil, e, nullable, scope)
}

// convertedWith is converted for a type with defaults.
func convertedWith(v cty.Value, want cty.Type, defaults *types.Defaults, e hcl.Expression, nullable bool, scope *Scope) (cty.Value, bool) {
	v, marks := types.Apart(v)
	if v.IsNull() && nullable {
		return cty.NullVal(want.WithoutOptionalAttributesDeep()), true
	}
	v = Texts(e, v, want)
	out, err := types.Convert(defaults.Apply(v), want)
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
