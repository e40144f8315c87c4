// Package graph draws a program: as text for a terminal, as DOT and Mermaid for other tools, and as an SVG with its own
// layout. Its only input is the program, and the same program gives the same bytes.
//
// It draws neither the progress of a run (runtime does) nor the positions of steps in the source.
package graph

import (
	"io"

	"pipec.dev/pipec/schema/program"
)

// Format writes a drawing of a program.
type Format func(w io.Writer, p *program.Program) error

// Formats are the formats by name.
var Formats = map[string]Format{
	"text":    Text,
	"dot":     DOT,
	"mermaid": Mermaid,
	"svg":     SVG,
}
