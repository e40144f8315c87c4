// Package format lays out source in its one canonical form. It changes spaces and newlines only: what the source means
// stays as it is, and comments stay where they are.
package format

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
)

// Source formats one file. false: it can't be parsed, and why is told; the source must be left alone then.
func Source(name string, src []byte, diags *diag.List) ([]byte, bool) {
	var own diag.List
	load.Bytes("", name, src, &own)
	diags.AddList(&own)
	if own.HasErrors() {
		return nil, false
	}
	out := hclwrite.Format(src)
	if len(bytes.TrimSpace(out)) > 0 {
		out = append(bytes.TrimRight(out, "\n"), '\n')
	}
	return out, true
}
