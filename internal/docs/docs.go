// Package docs writes the generated pages of docs/: the references of the language and of tests from their tables, the
// functions with examples that are evaluated when the page is written, the diagnostics, the rules of the linter, and
// those of the language. Its test checks that the pages are current.
//
// It is for this repository only: no command imports it.
package docs

import (
	"io"
	"maps"

	"pipec.dev/pipec/compiler/diag"
)

// Pages are the generated pages, by their file in docs/.
var Pages = pages()

func pages() map[string]func(io.Writer) error {
	out := rulePages()
	maps.Copy(out, meaningPages())
	maps.Copy(out, map[string]func(io.Writer) error{
		"language.md":    Language,
		"testing.md":     Testing,
		"functions.md":   Functions,
		"diagnostics.md": diag.WriteDocs,
		"digits.svg":     digits,
	})
	return out
}
