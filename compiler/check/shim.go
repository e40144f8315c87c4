package check

import (
	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

type checker struct {
	world *evaluate.Project
	diags *diag.List
}

func describe(b *decode.Block) string { return attribute.Describe(b) }

func (c *checker) duration(b *decode.Block, name string, byDefault program.Duration) program.Duration {
	return attribute.Duration(c.world, b, name, byDefault)
}

func (c *checker) objectName(b *decode.Block, name string, rule func(string) []string) string {
	return attribute.ObjectName(c.world, b, name, rule)
}
