// Package diag is what is wrong in a user's files, as values: a code, a place, and what to do about it. It collects,
// sorts and merges them, turns HCL's own into them, and draws them: a View is the machine form, and every format is
// made from a View alone.
//
// The package finds nothing wrong by itself and reads no files: the compiler's phases do. What goes wrong in the world
// (a disk, a store) is a Go error and no Diagnostic.
package diag

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Severity says how bad a diagnostic is. Only an error stops the compiler.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// AtLeast says whether s is as bad as least, or worse.
func (s Severity) AtLeast(least Severity) bool { return rank(s) <= rank(least) }

// Diagnostic is one thing to tell a user about the files.
type Diagnostic struct {
	Code       string // one of Codes
	Severity   Severity
	Summary    string    // one line, without a full stop: `no step is named "trainr"`
	Detail     string    // sentences, or empty; a newline starts a paragraph, an indented line stands as it is
	Range      hcl.Range // no Filename: about no place, such as the project as a whole
	Related    []Related // other places that belong to it, such as the first declaration of a duplicate
	Suggestion string    // what to do, in a few words: `did you mean "trainer"?`
	Fix        *Fix      // what to write instead; only where that is certain
}

// Related is another place that a diagnostic is about.
type Related struct {
	Range   hcl.Range
	Message string // `declared here first`
}

// Fix is text to put in place of a range. An empty range inserts, an empty text deletes.
type Fix struct {
	Range hcl.Range
	Text  string
}

// New makes a diagnostic of the severity that the code has in Codes. A code that is not there is an error.
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

// WithRelated returns d with one more place.
func (d Diagnostic) WithRelated(at hcl.Range, format string, args ...any) Diagnostic {
	// The full slice expression makes append copy: another copy of d may share the array.
	d.Related = append(d.Related[:len(d.Related):len(d.Related)], Related{Range: at, Message: fmt.Sprintf(format, args...)})
	return d
}

// WithSuggestion returns d with what to do about it.
func (d Diagnostic) WithSuggestion(format string, args ...any) Diagnostic {
	d.Suggestion = fmt.Sprintf(format, args...)
	return d
}

// DidYouMean returns d with the name among those given that is most like name as its suggestion, or d as it is where
// none is like it.
func (d Diagnostic) DidYouMean(name string, among []string) Diagnostic {
	if s := Suggest(name, among); s != "" {
		d.Suggestion = fmt.Sprintf("did you mean %q?", s)
	}
	return d
}

// WithFix returns d with the text that certainly puts it right.
func (d Diagnostic) WithFix(at hcl.Range, text string) Diagnostic {
	d.Fix = &Fix{Range: at, Text: text}
	return d
}
