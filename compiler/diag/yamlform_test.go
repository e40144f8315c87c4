package diag

import "testing"

func TestYAMLForm(t *testing.T) {
	for _, c := range [][2]string{
		{`write timeout = "24h" in the approval`, `write timeout: "24h" in the approval`},
		{"if the step needs it, write security { host_paths = true } in the step", "if the step needs it, write security: {host_paths: true} in the step"},
		{`write env = { X = param.x }, and "$X" in the script`, `write env: {X: "${param.x}"}, and "$X" in the script`},
		{`write container_registry "generic" { uri = "HOST/PREFIX" } in the stack`, `write container_registry: {generic: {uri: "HOST/PREFIX"}} in the stack`},
		{"`depends_on` must be a list of steps: depends_on = [step.NAME]", "`depends_on` must be a list of steps: depends_on: [step.NAME]"},
		{"`image` must be a reference: image = image.NAME", "`image` must be a reference: image: image.NAME"},
		{"write max_parallel = 10", "write max_parallel: 10"},
		{"a list is written in brackets: [ … ]", "a list is written in brackets: [ … ]"},
		{"write param \"name\" { … }", "write param: {name: {…}}"},
		{`write step.a.status == "succeeded"`, `write step.a.status == "succeeded"`},
		{"set max_parallel = 1 in the step, or access_mode = \"ReadWriteMany\" if the claim supports it", "set max_parallel: 1 in the step, or access_mode: \"ReadWriteMany\" if the claim supports it"},
		{"Null is valid with `default = null`.", "Null is valid with `default: null`."},
		{`the text "a = ${b}" stays`, `the text "a = ${b}" stays`},
		{"write value = param.x", "write value: ${param.x}"},
		{"object needs its attributes: object({ name = string })", "object needs its attributes: object({ name = string })"},
	} {
		if got := toYAML(c[0]); got != c[1] {
			t.Errorf("%s: %s, expected %s", c[0], got, c[1])
		}
	}
}
