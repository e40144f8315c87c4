package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// sensitive marks values that must never be written to a file or printed.
type sensitive struct{}

// IsSensitive reports whether a value contains a part that must never be written or printed.
func IsSensitive(v cty.Value) bool {
	_, marks := types.Apart(v)
	return len(marks) > 0
}

// SensitiveFault reports that an expression would write a sensitive variable, and how the expression reads it.
func (s *Values) SensitiveFault(e hcl.Expression) diag.Diagnostic {
	d := diag.New("sensitive", e.Range(), "a sensitive variable would be written into the program").
		WithDetail("Other people can read programs, manifests and records.").
		WithSuggestion("pass the secret to the step with a secret_env block")
	return s.trail(d, e, map[*Name]bool{})
}

func (s *Values) trail(d diag.Diagnostic, e hcl.Expression, seen map[*Name]bool) diag.Diagnostic {
	for _, n := range s.reads(e) {
		switch {
		case seen[n]:
		case n.block != nil && n.Sensitive && n.block.Attr("sensitive") == nil:
			d = d.WithRelated(s.variables.given.values[n.block.Label].at, "%s has a sensitive value", n.Address)
		case n.block != nil && n.Sensitive:
			d = d.WithRelated(n.Range, "%s is declared sensitive", n.Address)
		case n.expr != nil && IsSensitive(n.value):
			seen[n] = true
			d = s.trail(d.WithRelated(n.Range, "%s contains it", n.Address), n.expr, seen)
		}
		seen[n] = true
	}
	return d
}

// Sensitive reports whether a variable is or may be sensitive. Values must not be shown then until it is known which
// variables they belong to.
func (s *Values) Sensitive() bool {
	for _, n := range s.Variables {
		if n.Sensitive || n.block.Attr("sensitive") != nil {
			return true
		}
	}
	return false
}
