package program

import "github.com/hashicorp/hcl/v2"

// SourceMap locates the nodes of a program in its source. A key is "", "step.NAME", "step.NAME.input.X", "step.NAME.pod",
// "param.NAME", "schedule", "schedule.NAME" or "image.NAME". The map is neither emitted nor part of the digest.
type SourceMap map[string]hcl.Range
