// Package aws writes the recipe of a stack of kind "aws" as infrastructure: a CloudFormation template, and a Terraform module
// with the same resources. Both are pure functions of the recipe and of the accounts that the project's pipelines need, and have the
// same bytes for the same input. The package makes no requests: runtime/aws applies the template.
//
// The resources are one list of values (see resource), from which both are written. The properties are those of CloudFormation, also
// in the Terraform module: the provider awscc has the same resource types and properties under other names.
package aws

import (
	"bytes"
	"encoding/json"

	"pipec.dev/pipec/schema/program"
)

// Keys of the tags of everything that is made. `stack down` finds remaining resources by them.
const (
	TagProject = "pipec:project"
	TagStack   = "pipec:stack"
)

// Recipe is what is written.
type Recipe struct {
	*program.Recipe
	Project   string
	Stack     string
	Namespace string // of the orchestrator, whose roles are outputs; "": the first one
	Accounts  program.Accounts
}

// Template returns the CloudFormation template as JSON. It ends with a newline.
func (r *Recipe) Template() ([]byte, error) {
	b := r.build()
	resources := map[string]any{}
	for _, one := range b.resources {
		resources[one.name] = one.template()
	}
	outputs := map[string]any{}
	for _, o := range b.outputs {
		outputs[o.name] = map[string]any{"Description": o.doc, "Value": o.value}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(map[string]any{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              r.description(),
		"Resources":                resources,
		"Outputs":                  outputs,
	})
	return out.Bytes(), err
}

func (r *Recipe) description() string {
	return "What the stack " + r.Stack + " of the pipec project " + r.Project + " runs on. Written by pipec stack recipe."
}
