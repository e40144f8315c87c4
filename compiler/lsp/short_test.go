package lsp_test

import (
	"slices"
	"strings"
	"testing"
)

const shortProject = `code "c" {
  dir = "src"
}
pipeline "p" {
  code    = code.c
  outputs = { rows = step.load.rows }
  step "load" {
    command = ["./load"]
    outputs = { rows = number, "table" = text }
  }
  step "fit" {
    python = "steps:fit"
    inputs = { rows = step.load.rows,  }
  }
  step "call" {
    pipeline = pipeline.inner
    inputs   = { n = step.load.rows,  }
  }
}
pipeline "inner" {
  param "n" { type = number }
  param "m" { type = string }
  step "x" { command = ["echo", "${param.n}", param.m] }
}
`

const shortYAML = `pipeline:
  p:
    step:
      load:
        command: [./load]
        outputs:
          rows: number
          table: text
      show:
        command: [echo]
        inputs:
          rows: ${step.load.rows}
`

// TestShort checks that names in the short forms of inputs and outputs are found, explained, completed and renamed.
func TestShort(t *testing.T) {
	for _, yaml := range []bool{false, true} {
		name, text, declared := "main.pipec.hcl", shortProject, "{ ro|ws = number"
		if yaml {
			name, text, declared = "main.pipec.yaml", shortYAML, "ro|ws: number"
		}
		c := start(t, map[string]string{"src/steps.py": "def fit(rows, depth: int): return 1\n"})
		c.open(name, text)
		var at location
		c.call("textDocument/definition", c.at(name, "step.load.ro|ws"), &at)
		if want := c.at(name, strings.Replace(declared, "ro|ws", "|rows", 1)); at.Range.Start != want["position"] {
			t.Errorf("definition: got %+v, want %+v", at.Range.Start, want["position"])
		}
		if got := c.hover(name, "step.load.ro|ws"); !strings.Contains(got, `output "rows": number`) {
			t.Errorf("hover: %s", got)
		}
		if !yaml {
			for _, got := range c.rename(name, `param "|n" {`, "k") {
				if !strings.Contains(got, "inputs   = { k = step.load.rows") {
					t.Errorf("rename: %s", got)
				}
			}
			if got := labels(c.complete(name, "step.load.rows, | }\n  }\n  step \"call\"")); !slices.Equal(got, []string{"depth"}) {
				t.Errorf("parameters: %v", got)
			}
			if got := labels(c.complete(name, "step.load.rows, | }\n  }\n}")); !slices.Equal(got, []string{"m"}) {
				t.Errorf("params: %v", got)
			}
			if got := labels(c.complete(name, "{ rows = num|ber")); !slices.Contains(got, "dataframe") {
				t.Errorf("types: %v", got)
			}
		}
		c.end()
	}
}
