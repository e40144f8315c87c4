package compiler

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
)

// ConsoleName is the file name in the diagnostics of Evaluate.
const ConsoleName = "<console>"

// Evaluate evaluates an expression with the project's variables and locals. Faults are in the list; their source is src,
// under the name ConsoleName.
func (r *Result) Evaluate(src []byte) (cty.Value, *diag.List) {
	var diags diag.List
	at := hcl.Range{Filename: ConsoleName, Start: hcl.InitialPos, End: hcl.InitialPos}
	if refusal := expr.GateExpression(src); refusal != nil {
		at.Start, at.End = refusal.Pos, refusal.Pos
		diags.Add(diag.New("too-large", at, "%s", refusal.Why))
		return cty.NilVal, &diags
	}
	node, hclDiags := hclsyntax.ParseExpression(src, ConsoleName, hcl.InitialPos)
	diags.Add(diag.FromHCL(hclDiags, map[string][]byte{ConsoleName: src})...)
	if diags.HasErrors() || r.project == nil {
		return cty.NilVal, &diags
	}
	found := r.project.Diags // all parts of the project add to it
	before := *found
	*found = diag.List{}
	r.Sources[ConsoleName] = src // for the text of numbers
	defer delete(r.Sources, ConsoleName)
	v, ok := r.project.Constants.Written(node)
	diags, *found = *found, before
	if !ok {
		return cty.NilVal, &diags
	}
	if evaluate.IsSensitive(v) {
		return cty.StringVal("(sensitive)"), &diags
	}
	return v, &diags
}
