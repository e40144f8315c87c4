package lsp_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type action struct {
	Title, Kind string
	IsPreferred bool
	Diagnostics []diagnostic
	Edit        struct{ Changes map[string][]textEdit }
}

// actionsAt asks for those at the place of a mark.
func (c *client) actionsAt(name, mark string, only ...string) []action {
	c.t.Helper()
	at := c.at(name, mark)
	var out []action
	c.call("textDocument/codeAction", with(at, object{"range": object{"start": at["position"], "end": at["position"]}, "context": object{"only": only}}), &out)
	return out
}

const linted = `pipec {
  project = "x"
  lint    = { same-name = "off" }
}
pipeline "p" {
  timeout = "1h"
  step "p" {
    command = ["sh", "-c", <<-E
      echo ${step.b.y} # 𝄞
      echo ${step.c.u}
    E
    ]
    depends_on = [step.b]
  }
  step "b" {
    command = ["sh", "-c", "echo > $0", output.y.path]
    output "y" { type = string }
    output "z" { type = number }
    retry { when = false }
  }
  step "c" {
    command = ["sh", "-c", "echo > $0", output.u.path]
    output "u" { type = number }
    output "v" { type = number }
  }
}
`

// TestLint checks that the findings of rules are shown if there are no errors, with their levels and pages, that they can
// be ignored, and that certain fixes can be applied.
func TestLint(t *testing.T) {
	c := launch(t, t.TempDir())
	c.initialize(everything)
	ds := c.open(main, linted)
	if got := codes(ds); got != "9:shell-injection 13:redundant-depends-on 19:useless-retry 24:unused-output" {
		t.Errorf("%s", got)
	}
	for _, d := range ds {
		if d.Page == nil {
			t.Fatalf("%+v", d)
		}
		u, err := url.Parse(d.Page.Href)
		if err != nil || u.Scheme != "file" {
			t.Fatal(d.Page.Href, err)
		}
		page, err := os.ReadFile(u.Path)
		if err != nil || !strings.HasPrefix(string(page), "# "+d.Code+"\n") {
			t.Errorf("%v %s", err, page)
		}
		want := 2
		if d.Code == "unused-output" {
			want = 3 // a note
		}
		if d.Severity != want {
			t.Errorf("%+v", d)
		}
	}
	// A comment that ignores is put before the attribute or the block, however far above that is.
	list := c.actionsAt(main, "depends_on = [step|.b]")
	if len(list) != 2 || !list[0].IsPreferred || list[1].Title != "Ignore redundant-depends-on here" {
		t.Fatalf("%+v", list)
	}
	if got := apply(t, linted, list[0].Edit.Changes[c.uri(main)]); strings.Contains(got, "depends_on") {
		t.Errorf("%s", got)
	}
	ignored := apply(t, linted, list[1].Edit.Changes[c.uri(main)])
	if !strings.Contains(ignored, "\n    # pipec:ignore redundant-depends-on\n    depends_on = [step.b]\n") {
		t.Errorf("%s", ignored)
	}
	ds = c.change(main, ignored)
	if got := codes(ds); strings.Contains(got, "redundant") || !strings.Contains(got, "13:unexplained-ignore") {
		t.Errorf("%s", got)
	}
	if list := c.actionsAt(main, "# pipec:ig|nore"); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	for _, d := range ds { // one after the other, until there are none
		if d.Code == "unexplained-ignore" {
			continue
		}
		text := c.texts[main]
		for _, f := range c.change(main, text) {
			if f.Code != d.Code {
				continue
			}
			var got []action
			c.call("textDocument/codeAction", object{"textDocument": object{"uri": c.uri(main)}, "range": f.Range, "context": object{}}, &got)
			text = apply(t, text, got[len(got)-1].Edit.Changes[c.uri(main)])
			break
		}
		for _, left := range c.change(main, text) {
			if left.Code == d.Code {
				t.Errorf("%s is still told\n%s", d.Code, text)
			}
		}
	}
	// All that is certain at once.
	c.change(main, linted)
	list = c.actionsAt(main, "|pipec {", "source.fixAll")
	if len(list) != 1 || list[0].Kind != "source.fixAll" {
		t.Fatalf("%+v", list)
	}
	for _, d := range c.change(main, apply(t, linted, list[0].Edit.Changes[c.uri(main)])) {
		if d.Code == "redundant-depends-on" {
			t.Errorf("%+v", d)
		}
	}
	// With an error, it alone.
	if got := codes(c.change(main, strings.Replace(linted, "type = number", "type = nmber", 1))); !strings.HasSuffix(got, "invalid-type") || strings.Contains(got, " ") {
		t.Errorf("%s", got)
	}
	pages := func() int {
		list, err := filepath.Glob(filepath.Join(c.temp, "pipec-rules-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := pages()
	c.end()
	if after := pages(); before != 1 || after != 0 {
		t.Errorf("%d folders of pages, and before the end there were %d", after, before)
	}
}

// TestLintYAML does the same in YAML, with CRLF, and checks the diagnostics of a file that is not open.
func TestLintYAML(t *testing.T) {
	c := launch(t, t.TempDir())
	c.write("other.pipec.hcl", "\xef\xbb\xbfpipeline \"o\" {\n  timeout = \"1h\"\n  step \"o\" { command = [\"true\"] }\n  step \"q\" { command = [\"true\"] }\n}\n")
	c.initialize(everything)
	text := strings.ReplaceAll("pipeline:\n  p:\n    timeout: 1h\n    step:\n      a:\n        command: [sh, -c,\n          \"echo ${param.x}\"]\n    param: {x: {type: string}}\n", "\n", "\r\n")
	if got := codes(c.open(mainYAML, text)); got != "7:shell-injection" {
		t.Fatalf("%s", got)
	}
	if ds, _ := c.published("other.pipec.hcl"); codes(ds) != "3:same-name" {
		t.Errorf("%s", codes(ds))
	}
	list := c.actionsAt(mainYAML, "${para|m.x}")
	if len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	got := apply(t, text, list[0].Edit.Changes[c.uri(mainYAML)])
	if !strings.Contains(got, "a:\r\n        # pipec:ignore shell-injection\r\n        command: [sh, -c,\r\n") {
		t.Errorf("%q", got)
	}
	if ds := c.change(mainYAML, got); codes(ds) != "6:unexplained-ignore" {
		t.Errorf("%s", codes(ds))
	}
	c.end()
}

// TestByteOrder checks that the byte order mark of a file on disk is not part of its first line.
func TestByteOrder(t *testing.T) {
	c := start(t, map[string]string{"a.pipec.hcl": "\xef\xbb\xbfvariable \"x\" { default = 1 }\n", "b.pipec.yaml": "\xef\xbb\xbfvariable: {y: {default: 1}}\n"})
	c.open("c.pipec.hcl", "locals {\n  a = var.x + var.y\n}\n")
	for mark, want := range map[string]int{"var.|x": 10, "var.|y": 11} {
		var at location
		c.call("textDocument/definition", c.at("c.pipec.hcl", mark), &at)
		if at.Range.Start != (position{0, want}) {
			t.Errorf("%s: %+v", mark, at)
		}
	}
	c.end()
}
