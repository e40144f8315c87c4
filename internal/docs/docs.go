// Package docs writes the generated pages of docs/: the reference of the language from its table, the functions with
// examples that are evaluated while they are written, and the diagnostics. Its test holds the pages current.
//
// It is for this repository alone: no command imports it.
package docs

import (
	"io"

	"pipec.dev/pipec/compiler/diag"
)

// Pages are the generated pages, by their file in docs/.
var Pages = map[string]func(io.Writer) error{
	"language.md":    Language,
	"functions.md":   Functions,
	"diagnostics.md": diag.WriteDocs,
	"digits.svg":     digits,
}
