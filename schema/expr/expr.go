// Package expr holds expressions that are evaluated at run time: the text in canonical form, the constants and references that
// it reads, and its type. The compiler writes checked expressions, and the runtime evaluates them. The package reads no files,
// no clock and no environment, and knows nothing of pipelines.
//
// The canonical text is printed from the syntax tree. Spaces, comments, quotes or heredocs, and unnecessary parentheses
// therefore change no byte of a program. The constants are stored beside the text, and are never inserted into it.
package expr

import (
	"encoding/json"
)

// Expr is an expression that is evaluated at run time.
type Expr struct {
	Text  string           `json:"text"`            // as Print writes it
	Scope map[string]Const `json:"scope,omitempty"` // what it reads that was known when compiling: "var.x", "local.y"
	Refs  []string         `json:"refs,omitempty"`  // what it reads at run time, sorted: "step.a.x", "param.p", "run.name"
	Soft  []string         `json:"soft,omitempty"`  // those of Refs that read as null where their producer was skipped
	Type  string           `json:"type"`            // what it evaluates to, as types.String writes it
}

// Const is a value with its type.
type Const struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}
