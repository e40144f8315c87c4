// Package diag represents faults in a user's files as values: a code, a source range, and what to do about it. It collects,
// sorts and merges diagnostics, converts HCL's own, and prints them: a View is the machine-readable form, and every format
// is written from a View alone.
//
// The package finds no faults itself and reads no files; the phases of the compiler do. Failures of the environment, such
// as a disk or a store, are Go errors and not Diagnostics.
package diag

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Severity is how serious a diagnostic is. Only an error stops the compiler.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// AtLeast reports whether s is as severe as least, or more severe.
func (s Severity) AtLeast(least Severity) bool { return rank(s) <= rank(least) }

// Diagnostic is one message to a user about the files.
type Diagnostic struct {
	Code       string // one of Codes
	Severity   Severity
	Summary    string    // one line, without a full stop: `there is no step "trainr"`
	Detail     string    // sentences, or empty; a newline starts a paragraph, an indented line is printed unchanged
	Range      hcl.Range // no Filename: not about a range, for example about the project as a whole
	Related    []Related // other ranges that are involved, such as the first declaration of a duplicate
	Suggestion string    // what to do, in a few words: `did you mean "trainer"?`
	Fix        *Fix      // what to write instead; set only if it is certainly right
}

// Related is another range that a diagnostic is about.
type Related struct {
	Range   hcl.Range
	Message string // `declared here first`
}

// Fix is text that replaces a range. An empty range inserts, an empty text deletes.
type Fix struct {
	Range hcl.Range
	Text  string
}

// New returns a diagnostic with the severity of the code in Codes. An unknown code has the severity Error.
func New(code string, at hcl.Range, format string, args ...any) Diagnostic {
	severity := Error
	if c, ok := Lookup(code); ok {
		severity = c.Severity
	}
	return Diagnostic{Code: code, Severity: severity, Summary: fmt.Sprintf(format, args...), Range: at}
}

// WithDetail returns d with sentences that explain it.
func (d Diagnostic) WithDetail(format string, args ...any) Diagnostic {
	d.Detail = fmt.Sprintf(format, args...)
	return d
}

// WithRelated returns d with another related range.
func (d Diagnostic) WithRelated(at hcl.Range, format string, args ...any) Diagnostic {
	// The full slice expression makes append copy the array, which another copy of d may share.
	d.Related = append(d.Related[:len(d.Related):len(d.Related)], Related{Range: at, Message: fmt.Sprintf(format, args...)})
	return d
}

// WithSuggestion returns d with what to do about it.
func (d Diagnostic) WithSuggestion(format string, args ...any) Diagnostic {
	d.Suggestion = fmt.Sprintf(format, args...)
	return d
}

// DidYouMean returns d with a suggestion of the name in among that is most similar to name. It returns d unchanged if none
// is similar.
func (d Diagnostic) DidYouMean(name string, among []string) Diagnostic {
	if s := Suggest(name, among); s != "" {
		d.Suggestion = fmt.Sprintf("did you mean %q?", s)
	}
	return d
}

// WithFix returns d with the text that certainly corrects it.
func (d Diagnostic) WithFix(at hcl.Range, text string) Diagnostic {
	d.Fix = &Fix{Range: at, Text: text}
	return d
}
