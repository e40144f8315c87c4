package compiler_test

import (
	"reflect"
	"testing"

	"pipec.dev/pipec/compiler"
)

func TestVariables(t *testing.T) {
	r := compiler.Source("a.pipec.hcl", []byte(`
variable "where" {
  type        = string
  description = "The cluster."
  default     = "a"
}
variable "rates" { default = [1] }
variable "doc" {
  type        = map(number)
  default     = {}
  description = upper("x")
}
stack "k" {
  orchestrator "kubernetes" {
    context   = "${var.where}-x"
    namespace = var.where
  }
}
pipeline "broken" {
  step "a" {}
}
`), compiler.Options{})
	want := []compiler.Variable{
		{Name: "doc", Type: "map(number)"},
		{Name: "rates"},
		{Name: "where", Type: "string", Doc: "The cluster.", Uses: []string{"context", "namespace"}},
	}
	if got := r.Variables(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if r := compiler.Source("a.pipec.yaml", []byte("variable:\n  on: { type: bool, default: true }\n"), compiler.Options{}); !reflect.DeepEqual(r.Variables(), []compiler.Variable{{Name: "on", Type: "bool"}}) {
		t.Errorf("YAML: %+v", r.Variables())
	}
	if r := compiler.Source("a.pipec.hcl", []byte("variable {"), compiler.Options{}); r.Variables() != nil {
		t.Errorf("a file that can't be parsed: %+v", r.Variables())
	}
}
