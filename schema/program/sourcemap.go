package program

import "github.com/hashicorp/hcl/v2"

// SourceMap says where the nodes of a program stand in its source. The key is an address: "", "step.NAME",
// "step.NAME.input.X", "step.NAME.pod", "param.NAME", "image.NAME". It is neither emitted nor digested.
type SourceMap map[string]hcl.Range
