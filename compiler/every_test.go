package compiler_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/compiler"
)

const everyStacks = `
stack "local" {
  orchestrator "local" {}
  artifact_store "local" { path = ".pipec/store" }
}
stack "one" {
  orchestrator "kubernetes" {}
  artifact_store "s3" { path = "s3://bucket" }
}
stack "two" {
  orchestrator "kubernetes" {}
  artifact_store "s3" { path = "s3://bucket" }
}
`

const plainStep = `
pipeline "p" {
  step "a" { command = ["true"] }
}
`

func TestEvery(t *testing.T) {
	for _, c := range []struct {
		name, stack string
		files       map[string]string
		want        []string // code: a part of the text
	}{
		{"an image is missing", "", map[string]string{"p.pipec.hcl": everyStacks + plainStep},
			[]string{`missing: step "a" has no image, and stack "one" runs it in a pod; This is so on the stacks "one" and "two".`}},
		{"of one stack", "two", map[string]string{"p.pipec.hcl": everyStacks + plainStep},
			[]string{`missing: step "a" has no image, and stack "two" runs it in a pod; `}},
		{"of the local stack", "local", map[string]string{"p.pipec.hcl": everyStacks + plainStep}, nil},
		{"a pod", "", map[string]string{"p.pipec.hcl": everyStacks + "pipeline \"p\" {\n image = \"busybox\"\n step \"a\" {\n command = [\"true\"]\n pod = { hostNetwork = true }\n }\n}\n"},
			[]string{`not-restricted: This is so on the stacks "one" and "two".`}},
		{"variables of a stack", "", map[string]string{
			"p.pipec.hcl":   everyStacks + "variable \"host\" {\n type = bool\n default = false\n}\npipeline \"p\" {\n image = \"busybox\"\n step \"a\" {\n command = [\"true\"]\n pod = { hostNetwork = var.host }\n }\n}\n",
			"one.auto.vars": `host = true`,
		}, []string{`not-restricted: This is so on stack "one".`}},
		{"an error in one stack's variables", "", map[string]string{
			"p.pipec.hcl":   everyStacks + "variable \"image\" {\n type = string\n default = \"busybox\"\n}\npipeline \"p\" {\n step \"a\" {\n command = [\"true\"]\n image = var.image\n }\n}\n",
			"one.auto.vars": `imag = "busybox"`,
		}, []string{`unknown-variable-value: This is so on stack "one".`}},
		{"an error of all", "", map[string]string{"p.pipec.hcl": everyStacks + strings.Replace(plainStep, "command", "comand", 1), "one.auto.vars": "", "two.auto.vars": "", "local.auto.vars": ""},
			[]string{"unknown-attribute: there is no attribute `comand` in a step block; "}},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := compiler.Every(compiler.Options{Dir: dir, Stack: c.stack})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range r.Diags.Sorted() {
			if d.Severity == "error" {
				got = append(got, d.Code+": "+d.Summary+"; "+d.Detail)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			continue
		}
		for i, want := range c.want {
			code, text, _ := strings.Cut(want, ": ")
			if !strings.HasPrefix(got[i], code+": ") || !strings.Contains(got[i], text) || text == "" && !strings.HasSuffix(got[i], "; ") {
				t.Errorf("%s: got %q, want %q", c.name, got[i], want)
			}
			if strings.HasSuffix(want, "; ") && !strings.HasSuffix(got[i], "; ") {
				t.Errorf("%s: got %q, want %q", c.name, got[i], want)
			}
		}
		if (len(r.Programs) > 0) != (len(c.want) == 0) {
			t.Errorf("%s: %d programs", c.name, len(r.Programs))
		}
	}
}
