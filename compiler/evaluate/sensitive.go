package evaluate

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
)

// sensitive marks values that must not be written anywhere.
type sensitive struct{}

// IsSensitive says whether a value holds anything that must not be written.
func IsSensitive(v cty.Value) bool { return v != cty.NilVal && v.ContainsMarked() }

// SensitiveFault tells that an expression would write a sensitive variable, and by which way it comes there.
func (w *Project) SensitiveFault(e hcl.Expression) diag.Diagnostic {
	d := diag.New("sensitive", e.Range(), "a sensitive variable would be written into the program").
		WithDetail("Programs, manifests and records are read by others.").
		WithSuggestion("give a step its secret by a secret_env block")
	return w.trail(d, e, map[*Name]bool{})
}

func (w *Project) trail(d diag.Diagnostic, e hcl.Expression, seen map[*Name]bool) diag.Diagnostic {
	for _, n := range w.reads(e) {
		switch {
		case seen[n]:
		case n.block != nil && n.Sensitive && n.block.Attr("sensitive") == nil:
			d = d.WithRelated(w.given[n.block.Label].at, "%s is given what is sensitive", n.Address)
		case n.block != nil && n.Sensitive:
			d = d.WithRelated(n.Range, "%s is declared sensitive", n.Address)
		case n.expr != nil && IsSensitive(n.value):
			seen[n] = true
			d = w.trail(d.WithRelated(n.Range, "%s holds it", n.Address), n.expr, seen)
		}
		seen[n] = true
	}
	return d
}

// hasSensitive says whether a variable is declared sensitive, so that values must not be shown before it is known whose
// they are.
func (w *Project) hasSensitive() bool {
	for _, n := range w.Variables {
		if n.block.Attr("sensitive") != nil {
			return true
		}
	}
	return false
}
