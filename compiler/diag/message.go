package diag

import "strings"

// message returns all texts of a diagnostic, for formats with one field for them.
func message(d DiagnosticView) string {
	parts := []string{d.Summary}
	if d.Detail != "" {
		parts = append(parts, d.Detail)
	}
	switch {
	case d.Suggestion != "":
		parts = append(parts, "help: "+d.Suggestion)
	case d.Fix != nil:
		parts = append(parts, "help: "+fixText(*d.Fix))
	}
	return strings.Join(parts, "\n")
}
