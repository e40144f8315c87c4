package lsp_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestDiagnostics(t *testing.T) {
	files := digits(t)
	good := files[main]
	c := start(t, files)
	if ds := c.open(main, good); len(ds) > 0 {
		t.Errorf("the example: %+v", ds)
	}
	ds := c.change(main, replaced(t, good, "value = step.trainer.model", "value = step.trainr.model"))
	if codes(ds) != "94:unknown-reference" || ds[0].Severity != 1 || !strings.Contains(ds[0].Message, `did you mean "trainer"`) {
		t.Errorf("%+v", ds)
	}
	if want := (span{position{93, 14}, position{93, 25}}); ds[0].Range != want {
		t.Errorf("at %+v, not %+v", ds[0].Range, want)
	}
	if ds = c.change(main, good); len(ds) > 0 {
		t.Errorf("put right: %+v", ds)
	}
	if ds = c.change(main, replaced(t, good, "value = step.trainer.model", "value = step.")); codes(ds) != "94:syntax" {
		t.Errorf("half written: %s", codes(ds))
	}

	// A declaration that another file reads.
	c.change(main, good)
	if ds = c.open("stacks.pipec.hcl", replaced(t, files["stacks.pipec.hcl"], `variable "context"`, `variable "contxt"`)); codes(ds) != "18:unknown-reference" {
		t.Errorf("across files: %s", codes(ds))
	}
	// The file as it is on the disk counts when it is closed.
	c.close("stacks.pipec.hcl")
	for c.versions["stacks.pipec.hcl"] = 0; ; {
		if ds, version := c.published("stacks.pipec.hcl"); version == 0 {
			if len(ds) > 0 {
				t.Errorf("closed: %+v", ds)
			}
			break
		}
	}

	// A warning, and where it belongs to.
	ds = c.change(main, good+"\nlocals {\n  a = 1\n}\npipeline \"kubernetes_example_pipeline\" {}\n")
	if !strings.Contains(codes(ds), "duplicate") || len(ds[0].Related) == 0 || ds[0].Related[0].Location.URI != c.uri(main) {
		t.Errorf("%+v", ds)
	}
	ds = c.change(main, good+"\nlocals {\n  a = 1\n}\n")
	if codes(ds) != "124:unused" || ds[0].Severity != 2 || fmt.Sprint(ds[0].Tags) != "[1]" {
		t.Errorf("%+v", ds)
	}

	// All is cleared with the last document.
	c.close(main)
	for {
		if ds, version := c.published(main); version == 0 {
			if len(ds) > 0 {
				t.Errorf("closed: %+v", ds)
			}
			break
		}
	}
	c.end()
}

// TestOnDisk: files that are not open change, or are not there yet.
func TestOnDisk(t *testing.T) {
	c := start(t, map[string]string{"a.pipec.hcl": "locals {\n  a = var.x\n}\n"})
	if ds := c.open("b.pipec.hcl", "output \"x\" {}\n"); codes(ds) != "1:unknown-block" { // only in the editor
		t.Errorf("%s", codes(ds))
	}
	if ds, _ := c.published("a.pipec.hcl"); codes(ds) != "2:unknown-reference" {
		t.Errorf("a file that is not open: %s", codes(ds))
	}
	c.write("a.pipec.hcl", "locals {\n  a = 1\n}\n")
	c.notify("workspace/didChangeWatchedFiles", object{"changes": []object{{"uri": c.uri("a.pipec.hcl"), "type": 2}}})
	if ds, _ := c.published("a.pipec.hcl"); len(ds) > 0 {
		t.Errorf("changed on disk: %s", codes(ds))
	}
	if err := os.Remove(c.path("a.pipec.hcl")); err != nil {
		t.Fatal(err)
	}
	c.notify("textDocument/didSave", object{"textDocument": object{"uri": c.uri("b.pipec.hcl")}})
	c.change("b.pipec.hcl", "")
	if ds := c.open("new/c.pipec.hcl", "locals {\n  a = b\n}\n"); codes(ds) != "2:unknown-reference" { // its directory is not there
		t.Errorf("%s", codes(ds))
	}
	c.end()
}

// TestProjects: each directory is a project of its own.
func TestProjects(t *testing.T) {
	c := start(t, map[string]string{"one/a.pipec.hcl": "variable \"x\" {\n  default = 1\n}\n", "two/a.pipec.hcl": ""})
	if ds := c.open("one/b.pipec.hcl", "locals {\n  y = var.x\n}\n"); codes(ds) != "2:unused" {
		t.Errorf("one: %s", codes(ds))
	}
	if ds := c.open("two/b.pipec.hcl", "locals {\n  y = var.x\n}\n"); codes(ds) != "2:unknown-reference" {
		t.Errorf("two: %s", codes(ds))
	}
	var at location
	c.call("textDocument/definition", c.at("one/b.pipec.hcl", "var.|x"), &at)
	if at.URI != c.uri("one/a.pipec.hcl") || at.Range.Start != (position{0, 10}) {
		t.Errorf("%+v", at)
	}
	// A place whose URI is not its path.
	if ds := c.open("sp ace/ä+%/a.pipec.hcl", "locals {\n  y = var.x\n}\n"); codes(ds) != "2:unknown-reference" {
		t.Errorf("odd names: %s", codes(ds))
	}
	// An untitled document has an outline, and no project.
	c.notify("textDocument/didOpen", object{"textDocument": object{"uri": "untitled:Untitled-1", "version": 1, "text": "locals {\n  a = 1\n  b = local.a\n}\n"}})
	c.call("textDocument/definition", object{"textDocument": object{"uri": "untitled:Untitled-1"}, "position": position{2, 13}}, &at)
	if at.URI != "untitled:Untitled-1" || at.Range.Start != (position{1, 2}) {
		t.Errorf("%+v", at)
	}
	c.end()
}

// TestBurst: what is typed while a project is compiled is compiled together, and the last text has the last word.
func TestBurst(t *testing.T) {
	c := start(t, nil)
	big := layered(1000)
	if ds := c.open("big.pipec.hcl", big); len(ds) > 0 {
		t.Fatalf("%s", codes(ds))
	}
	for i := range 60 {
		text := big + strings.Repeat("#", i) + "\nlocals {\n  a = var.nothing\n}\n"
		c.changed("big.pipec.hcl", text, object{"text": text})
	}
	if ds := c.change("big.pipec.hcl", big); len(ds) > 0 {
		t.Errorf("%s", codes(ds))
	}
	c.end()
	for m := range c.messages {
		if m.Method == "textDocument/publishDiagnostics" {
			t.Errorf("after the last version: %s", m.Params)
		}
	}
}

// layered is a pipeline of n steps, each of which reads two of the layer before.
func layered(n int) string {
	const width = 100
	var b strings.Builder
	b.WriteString("pipeline \"layered\" {\n")
	for i := range n {
		fmt.Fprintf(&b, "  step \"s%05d\" {\n    command = [\"./work\", \"--out\", output.y.path]\n", i)
		for j := range 2 {
			if layer := i / width; layer > 0 {
				fmt.Fprintf(&b, "    input \"x%d\" {\n      value = step.s%05d.y\n    }\n", j, (layer-1)*width+(i*7+j*13)%width)
			}
		}
		b.WriteString("    output \"y\" {\n      type = file\n    }\n  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// TestNoSource checks that a file that is not a source of a project is ignored.
func TestNoSource(t *testing.T) {
	c := start(t, nil)
	for _, name := range []string{"a.pipec.yml", "main.tf"} {
		c.notify("textDocument/didOpen", object{"textDocument": object{"uri": c.uri(name), "version": 1, "text": "pipeline: ["}})
		for _, method := range []string{"hover", "completion", "documentSymbol", "formatting", "rename"} {
			m := c.answer(c.request("textDocument/"+method, object{"textDocument": object{"uri": c.uri(name)}, "position": position{0, 3}, "newName": "x"}))
			if m.Error != nil || string(m.Result) != "null" {
				t.Errorf("%s: %s %+v", method, m.Result, m.Error)
			}
		}
	}
	if ds, _ := c.published("a.pipec.yml"); codes(ds) != "1:not-supported" {
		t.Errorf("%s", codes(ds))
	}
	c.end()
	for m := range c.messages {
		if strings.Contains(string(m.Params), "main.tf") {
			t.Errorf("%s", m.Params)
		}
	}
}

// TestFlags checks that the stack and the variables are those of the command's flags, and that faults in them are shown at
// the start of the project's first file.
func TestFlags(t *testing.T) {
	const text = "variable \"n\" {\n  type = number\n}\nlocals {\n  a = var.n\n}\n"
	for _, c := range []struct {
		flags []string
		want  string
		says  string
	}{
		{nil, "1:missing-variable", ""},
		{[]string{"--var", "n=3"}, "5:unused", ""},
		{[]string{"--var", "n=3", "--var", "m=4"}, "1:unknown-variable-value", "--var m: "},
		{[]string{"--var", "n=3", "--stack", "cloud"}, "1:no-stack", `there is no stack "cloud"`},
	} {
		e := launch(t, t.TempDir(), c.flags...)
		e.initialize(object{})
		ds := e.open("a.pipec.hcl", text)
		if codes(ds) != c.want {
			t.Errorf("%v: %s, not %s", c.flags, codes(ds), c.want)
		}
		if c.says != "" && (len(ds) == 0 || ds[0].Range != (span{}) || !strings.HasPrefix(ds[0].Message, c.says)) {
			t.Errorf("%v: %+v", c.flags, ds)
		}
		e.end()
	}
}
