// Package graph draws a program: as text for a terminal, as DOT and Mermaid for other tools, as an SVG with a layout of
// its own. It takes the program alone, and the same program gives the same bytes.
//
// It neither knows how a run went (runtime draws that) nor where a step stands in the source.
package graph

import (
	"io"

	"pipec.dev/pipec/schema/program"
)

// Format writes a picture of a program.
type Format func(w io.Writer, p *program.Program) error

// Formats are the formats by name.
var Formats = map[string]Format{
	"text":    Text,
	"dot":     DOT,
	"mermaid": Mermaid,
	"svg":     SVG,
}
