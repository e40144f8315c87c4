package yaml

import (
	"testing"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// TestDirective reads documents with a %YAML directive.
func TestDirective(t *testing.T) {
	body := "---\npipeline:\n  p:\n    step:\n      a: {command: [echo, '%YAML 1.3']}\n"
	for _, c := range []struct {
		directive string
		ok        bool
	}{
		{"%YAML 1.2\n", true}, {"%YAML 1.1\n", true}, {"# a comment\n\n%YAML  1.2 # another\n", true}, {"%TAG ! tag:x,2026:\n%YAML 1.2\n", true},
		{"%YAML 2.0\n", false}, {"%YAML 1.2\n%YAML 1.2\n", false},
	} {
		var diags diag.List
		source := Parse("x.pipec.yaml", []byte(c.directive+body), language.Root(), &diags)
		if ok := source != nil && !diags.HasErrors(); ok != c.ok {
			t.Errorf("%q: %v, %v", c.directive, ok, diags.Sorted())
		}
	}
}
