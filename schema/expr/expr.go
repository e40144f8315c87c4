// Package expr is an expression that waits for run time: its text in canonical form, the constants it reads, its
// references, its type. The compiler makes it, checked; the runtime evaluates it. The package reads no files, no clock
// and no environment, and knows nothing of pipelines.
package expr

import (
	"encoding/json"
)

// Expr is an expression of the language, kept for run time.
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
