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

	// Faults in the library's unsaved text are reported once, for the library, and the project reads the text.
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

// TestLibraryMended checks that what a project finds in a file of its library is shown until it is fixed, even if another
// file of the library is open meanwhile, whose check finds nothing there.
func TestLibraryMended(t *testing.T) {
	const project = `library "l" {
  source = "./lib"
  vars   = { n = 5 }
}
pipeline "p" {
  step "a" { pipeline = library.l.q }
}
`
	const library = `variable "n" {
  type    = number
  default = 0
}
locals { x = ["a", "b"][var.n] }
pipeline "q" {
  step "a" { command = ["echo", local.x] }
}
`
	const lib, other = "lib/lib.pipec.hcl", "lib/other.pipec.hcl"
	c := start(t, map[string]string{"main.pipec.hcl": project, lib: library, other: ""})
	until := func(want string) {
		t.Helper()
		for seen := "?"; seen != want; {
			ds, _ := c.published(lib)
			seen = codes(ds)
		}
	}
	c.open("main.pipec.hcl", project)
	until("5:evaluation")
	if ds := c.open(other, ""); len(ds) > 0 {
		t.Errorf("%+v", ds)
	}
	until("5:evaluation")
	c.change("main.pipec.hcl", strings.Replace(project, "n = 5", "n = 1", 1))
	until("")

	// The library reports what it finds by itself, and after it is closed, the project reports what it finds.
	c.change("main.pipec.hcl", project)
	until("5:evaluation")
	if ds := c.open(lib, strings.Replace(library, "default = 0", "default = 7", 1)); codes(ds) != "5:evaluation" {
		t.Errorf("%+v", ds)
	}
	if ds := c.change(lib, library); len(ds) > 0 {
		t.Errorf("%+v", ds)
	}
	c.close(lib)
	until("5:evaluation")
}
