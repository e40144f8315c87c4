package lsp_test

import (
	"strings"
	"testing"
)

const pythonProject = `code "c" {
  dir = "src"
}
pipeline "p" {
  code = code.c
  step "load" {
    python = "steps.data:load"
    output "rows" { type = number }
  }
  step "fit" {
    python = "steps.data:fit"
    input "rows" { value = step.load.rows }
    input "" {}
  }
  step "begun" {
    python = ""
  }
  step "chosen" {
    python = "steps.data:"
  }
  step "missing" {
    python = "steps.missing:x"
    input "" {}
  }
}
`

const pythonYAML = `code:
  c: {dir: src}
pipeline:
  p:
    code: ${code.c}
    step:
      load:
        python: steps.data:load
      chosen:
        python: steps.data:
      begun:
        python: st
`

const pythonModule = "\ufeff# 𝄞\ndef load(path: str = 'x') -> int:\n    return 1\n\n\nasync def fit(rows, *, depth: int): return 2\n"

// TestPython: what a step runs is completed, explained, and found in the code.
func TestPython(t *testing.T) {
	for _, yaml := range []bool{false, true} {
		c := start(t, map[string]string{"src/steps/__init__.py": "", "src/steps/data.py": pythonModule, "src/other.py": "x = 1"})
		name, text, begun, chosen := "main.pipec.hcl", pythonProject, `python = "|"`, `steps.data:|"`
		if yaml {
			name, text, begun, chosen = "main.pipec.yaml", pythonYAML, "python: st|\n", "steps.data:|\n"
		}
		c.open(name, text)

		if got := strings.Join(labels(c.complete(name, begun)), " "); !strings.Contains(got, "other steps steps.data") {
			t.Errorf("modules: %s", got)
		}
		if got := strings.Join(labels(c.complete(name, chosen)), " "); !strings.Contains(got, "steps.data:fit steps.data:load") {
			t.Errorf("functions: %s", got)
		}
		if got := c.hover(name, "steps.data:lo|ad"); got != "```python\ndef load(path: str = …) -> int\n```\n\nsrc/steps/data.py, line 2" {
			t.Errorf("hover: %s", got)
		}
		var at location
		c.call("textDocument/definition", c.at(name, "steps.data:lo|ad"), &at)
		if at.URI != c.uri("src/steps/data.py") || at.Range.Start != (position{1, 4}) || at.Range.End != (position{1, 8}) {
			t.Errorf("definition: %+v", at)
		}
		c.end()
	}
}

// TestPythonInputs: the inputs of a step are the parameters of its function.
func TestPythonInputs(t *testing.T) {
	c := start(t, map[string]string{"src/steps/data.py": pythonModule})
	c.open("main.pipec.hcl", pythonProject)
	items := c.complete("main.pipec.hcl", "rows }\n    input \"|\" {}")
	if len(items) != 1 || items[0].Label != "depth" || items[0].Detail != "int" || items[0].TextEdit.NewText != "depth" {
		t.Errorf("%+v", items)
	}
	if items := c.complete("main.pipec.hcl", "missing:x\"\n    input \"|\" {}"); len(items) > 0 {
		t.Errorf("%+v", items)
	}
	c.end()
}
