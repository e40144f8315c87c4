package lsp_test

import (
	"strings"
	"testing"
)

// TestLibrary: a project and its library, each with the other's unsaved text.
func TestLibrary(t *testing.T) {
	const project = `library "l" {
  source = "./lib"
  vars   = { n = 1 }
}
pipeline "p" {
  step "a" { pipeline = library.l.q }
}
`
	const library = `variable "n" { type = number }
pipeline "q" {
  step "a" { command = ["echo", "${var.n}"] }
}
`
	c := start(t, map[string]string{"main.pipec.hcl": project, "lib/lib.pipec.hcl": library})
	if ds := c.open("main.pipec.hcl", project); len(ds) > 0 {
		t.Errorf("%+v", ds)
	}

	// Go to definition leads to the block, and to the pipeline in the library.
	for mark, want := range map[string]struct {
		file string
		line int
	}{"library.|l.q": {"main.pipec.hcl", 0}, "library.l.|q": {"lib/lib.pipec.hcl", 1}} {
		var at location
		c.call("textDocument/definition", c.at("main.pipec.hcl", mark), &at)
		if at.URI != c.uri(want.file) || at.Range.Start.Line != want.line {
			t.Errorf("%s: %+v", mark, at)
		}
	}
	var none *location
	c.change("main.pipec.hcl", strings.Replace(project, "l.q", "l.nope", 1))
	if c.call("textDocument/definition", c.at("main.pipec.hcl", "library.l.|nope"), &none); none != nil {
		t.Errorf("%+v", none)
	}

	// What is wrong in the library's unsaved text is told of it once, and the project sees the text.
	c.change("main.pipec.hcl", project)
	if ds := c.open("lib/lib.pipec.hcl", strings.Replace(library, `pipeline "q"`, `pipeline "other"`, 1)); codes(ds) != "1:missing-variable" {
		t.Errorf("the library by itself: %s", codes(ds))
	}
	for seen := ""; seen != "6:unknown-reference"; {
		ds, _ := c.published("main.pipec.hcl")
		seen = codes(ds)
	}
	if ds := c.change("lib/lib.pipec.hcl", library); codes(ds) != "1:missing-variable" {
		t.Errorf("the library by itself: %s", codes(ds))
	}
	for seen := "?"; seen != ""; {
		ds, _ := c.published("main.pipec.hcl")
		seen = codes(ds)
	}
}
