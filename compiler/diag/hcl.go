package diag

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// FromHCL turns HCL's own diagnostics into ours. sources are the files they are about, by name: known traps are
// recognised in them.
func FromHCL(diags hcl.Diagnostics, sources map[string][]byte) []Diagnostic {
	out := make([]Diagnostic, 0, len(diags))
	for _, d := range diags {
		out = append(out, fromHCL(d))
	}
	return out
}

func fromHCL(h *hcl.Diagnostic) Diagnostic {
	d := Diagnostic{Code: "syntax", Severity: Error, Summary: h.Summary, Detail: strings.TrimSpace(h.Detail)}
	if h.Severity == hcl.DiagWarning {
		d.Severity = Warning
	}
	if h.Subject != nil {
		d.Range = *h.Subject
	}
	return d
}
