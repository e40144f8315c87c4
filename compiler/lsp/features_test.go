package lsp_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func (c *client) hover(name, mark string) string {
	c.t.Helper()
	var h *struct{ Contents struct{ Value string } }
	c.call("textDocument/hover", c.at(name, mark), &h)
	if h == nil {
		return ""
	}
	return h.Contents.Value
}

func TestHover(t *testing.T) {
	c := start(t, digits(t))
	text := replaced(t, digits(t)[main], "value = step.evaluator.accuracy", `value = max(step.evaluator.accuracy, step.trainer.exit_code) + length(run.name)`)
	c.open(main, text)
	c.open("stacks.pipec.hcl", digits(t)["stacks.pipec.hcl"])
	for _, h := range []struct {
		file, mark string
		want       []string
	}{
		{main, `st|ep "trainer" {`, []string{`step "name" { … }`, "A unit of work"}},
		{main, `attem|pts = 3`, []string{"attempts = number", "The maximum number of attempts.", "Default: `1`"}},
		{main, `over|lap  = "forbid"`, []string{`One of`, `"replace"`}},
		{main, `step "impo|rter"`, []string{`step "importer"`, "`X_train` ndarray", "digits.pipec.hcl, line 42"}},
		{main, `step.importer.X_t|rain`, []string{`output "X_train": ndarray`, "line 45"}},
		{main, `step.imp|orter.X_train`, []string{`step "importer"`}},
		{main, `value = param.ga|mma`, []string{`param "gamma": number`, "Default: `var.gamma`"}},
		{main, `default = var.ga|mma`, []string{`variable "gamma": number`, "Kernel coefficient", "Default: `0.001`"}},
		{main, `input "gam|ma"`, []string{`input "gamma": number`}},
		{main, `max|(step`, []string{"max(", "Returns"}},
		{main, `trainer.exit_c|ode`, []string{"step.trainer.exit_code: number"}},
		{main, `length(run.na|me)`, []string{"run.name: string"}},
		{main, `length(ru|n.name)`, []string{"run.scheduled_at"}},
		{main, `image.dig|its`, []string{`image "digits"`}},
		{"stacks.pipec.hcl", `orchestrator "kuber|netes"`, []string{"What runs the steps"}},
		{main, `# The dig|its pipeline`, nil},
	} {
		got := c.hover(h.file, h.mark)
		for _, want := range h.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", h.mark, want, got)
			}
		}
		if h.want == nil && got != "" {
			t.Errorf("%s: %s", h.mark, got)
		}
	}
	c.end()
}

func TestNavigation(t *testing.T) {
	files := digits(t)
	c := start(t, files)
	c.open(main, files[main])
	for mark, want := range map[string]string{
		"step.importer.X_t|rain": `output "|X_train"`, "st|ep.importer.X_test": `step "|importer"`, "param.gam|ma": `param "|gamma"`,
		"var.gamm|a > 0": `variable "|gamma"`, "image.dig|its": `image "|digits"`, "code.st|eps": `code "|steps"`,
	} {
		var at location
		c.call("textDocument/definition", c.at(main, mark), &at)
		if at.URI != c.uri(main) || at.Range.Start != c.at(main, want)["position"] {
			t.Errorf("%s: %+v", mark, at)
		}
	}
	var refs []location
	c.call("textDocument/references", with(c.at(main, `step "impo|rter"`), object{"context": object{"includeDeclaration": true}}), &refs)
	if len(refs) != 7 {
		t.Errorf("%d references to the importer: %+v", len(refs), refs)
	}
	c.call("textDocument/references", with(c.at(main, `default = var.gam|ma`), object{"context": object{"includeDeclaration": false}}), &refs)
	if len(refs) != 2 {
		t.Errorf("%d references to the variable: %+v", len(refs), refs)
	}
	// From one file into another, which is not open.
	c.open("stacks.pipec.hcl", files["stacks.pipec.hcl"])
	var marks []struct{ Range span }
	c.call("textDocument/documentHighlight", c.at("stacks.pipec.hcl", `var.s3_end|point`), &marks)
	if len(marks) != 3 {
		t.Errorf("%+v", marks)
	}
	c.end()
}

func TestSymbols(t *testing.T) {
	type symbol struct {
		Name, Detail   string
		Kind           int
		SelectionRange span
		Children       []symbol
	}
	c := start(t, digits(t))
	broken := replaced(t, digits(t)[main], "value = step.importer.X_train\n    }", "value = step.importer.") // a brace is missing
	for _, text := range []string{digits(t)[main], broken} {
		c.open(main, text)
		var tree []symbol
		c.call("textDocument/documentSymbol", object{"textDocument": object{"uri": c.uri(main)}}, &tree)
		var top, in []string
		for _, s := range tree {
			top = append(top, s.Detail+" "+s.Name)
		}
		for _, s := range tree[len(tree)-1].Children {
			in = append(in, s.Detail+" "+s.Name)
		}
		if want := "variable gamma,image digits,code steps,pipeline kubernetes_example_pipeline"; strings.Join(top, ",") != want {
			t.Errorf("%s", top)
		}
		if got := strings.Join(in, ","); !strings.HasPrefix(got, " schedule,param gamma,step importer,step trainer,step evaluator,step skew_comparison") {
			t.Errorf("%s", got)
		}
	}
	c.end()
	// A client that knows no trees.
	c = launch(t, t.TempDir())
	c.initialize(object{})
	c.open("a.pipec.hcl", "locals {\n  a = 1\n}\n")
	var flat []struct{ Name, ContainerName string }
	c.call("textDocument/documentSymbol", object{"textDocument": object{"uri": c.uri("a.pipec.hcl")}}, &flat)
	if len(flat) != 2 || flat[1].Name != "a" || flat[1].ContainerName != "locals" {
		t.Errorf("%+v", flat)
	}
}

// TestFormatting: the edits lead to what `pipec fmt` writes.
func TestFormatting(t *testing.T) {
	good := digits(t)[main]
	for name, text := range map[string]string{
		"canonical": good,
		"spaces":    strings.ReplaceAll(good, "      type = ndarray", " type=ndarray"),
		"one place": replaced(t, good, "  python = \"steps:evaluator\"", "python   = \"steps:evaluator\""),
		"end":       good + "\n\n\n", "no newline": strings.TrimRight(good, "\n"), "empty": "", "blank": "\n\n",
		"wide": "locals{\na=\"𝄞\"  # ä\n   b = local.a\n}",
		"CRLF": strings.ReplaceAll(replaced(t, good, "  type        = number", "type=number"), "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, nil)
			c.open(main, text)
			var edits []textEdit
			c.call("textDocument/formatting", object{"textDocument": object{"uri": c.uri(main)}, "options": object{"tabSize": 2}}, &edits)
			cmd := exec.Command(pipec(t), "fmt", "-")
			cmd.Stdin = strings.NewReader(strings.ReplaceAll(text, "\r\n", "\n"))
			want, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if name == "CRLF" {
				want = []byte(strings.ReplaceAll(string(want), "\n", "\r\n"))
			}
			if got := apply(t, text, edits); got != string(want) {
				t.Errorf("%+v give\n%q\nnot\n%q", edits, got, want)
			}
			if name == "canonical" && len(edits) > 0 || name == "one place" && edits[0].Range.End.Line-edits[0].Range.Start.Line > 2 {
				t.Errorf("%+v", edits)
			}
			c.end()
		})
	}
	c := start(t, nil)
	c.open(main, "locals {\n a = \n")
	var edits []textEdit
	c.call("textDocument/formatting", object{"textDocument": object{"uri": c.uri(main)}}, &edits)
	if edits != nil {
		t.Errorf("half written: %+v", edits)
	}
}

type codeAction struct {
	Title       string
	IsPreferred bool
	Edit        struct{ Changes map[string][]textEdit }
}

func (c *client) actions(name string, at span) []codeAction {
	c.t.Helper()
	var out []codeAction
	c.call("textDocument/codeAction", object{"textDocument": object{"uri": c.uri(name)}, "range": at, "context": object{"diagnostics": []int{}}}, &out)
	return out
}

// TestActions: what is offered for a fault leads to the text without it.
func TestActions(t *testing.T) {
	good := digits(t)[main]
	for _, a := range []struct{ old, new string }{
		{"value = step.trainer.model", "value = step.trainr.model"},
		{"value = step.trainer.model", "value = step.trainer.modle"},
		{"value = step.trainer.model", "value = stpe.trainer.model"},
		{"value = param.gamma", "value = param.gama"},
		{"  retry {", "  rety {"},
		{"attempts = 3", "attemps = 3"},
		{`overlap  = "forbid"`, `overlap  = "forbit"`},
		{"type = ndarray", "type = ndaray"},
		{"image       = image.digits", "image       = image.digit"},
	} {
		t.Run(a.new, func(t *testing.T) {
			c := start(t, digits(t))
			text := replaced(t, good, a.old, a.new)
			ds := c.open(main, text)
			if len(ds) == 0 {
				t.Fatal("nothing is wrong")
			}
			actions := c.actions(main, ds[0].Range)
			if len(actions) != 1 {
				t.Fatalf("%+v for %+v", actions, ds[0])
			}
			if got := apply(t, text, actions[0].Edit.Changes[c.uri(main)]); got != good {
				t.Errorf("%s: %+v", actions[0].Title, actions[0].Edit)
			}
			if elsewhere := c.actions(main, span{position{0, 0}, position{0, 1}}); len(elsewhere) > 0 {
				t.Errorf("%+v", elsewhere)
			}
			// Not for another text.
			c.changed(main, good, object{"text": "# one line more\n" + text})
			if stale := c.actions(main, ds[0].Range); len(stale) > 0 && stale[0].Edit.Changes[c.uri(main)][0].Range.Start.Line == ds[0].Range.Start.Line {
				t.Errorf("%+v", stale)
			}
			c.end()
		})
	}
	c := start(t, digits(t))
	text := replaced(t, good, `python = "steps:evaluator"`, `command = ["./evaluate", input.model]`)
	ds := c.open(main, text)
	actions := c.actions(main, ds[0].Range)
	if len(actions) != 1 || !actions[0].IsPreferred || !strings.Contains(apply(t, text, actions[0].Edit.Changes[c.uri(main)]), "input.model.path]") {
		t.Errorf("%+v for %+v", actions, ds)
	}
	c.end()
}

// rename renames, and gives the files as they are then.
func (c *client) rename(name, mark, to string) map[string]string {
	c.t.Helper()
	var edit struct{ Changes map[string][]textEdit }
	c.call("textDocument/rename", with(c.at(name, mark), object{"newName": to}), &edit)
	out := map[string]string{}
	for file, text := range c.texts {
		out[file] = apply(c.t, text, edit.Changes[c.uri(file)])
	}
	return out
}

func TestRename(t *testing.T) {
	const text = `pipeline "p" {
  param "n" {
    type    = number
    default = 3
  }
  schedule {
    cron   = "0 3 * * *"
    params = { n = 4 }
  }
  step "a-b" {
    command = ["x", output.y.path]
    output "y" {
      type = number
    }
  }
  step "c" {
    command    = ["x", "${input.a}", "step.a-b"]
    depends_on = [step.a-b]
    when       = step.a-b.status == "succeeded" && param.n > 1
    input "a" {
      value = coalesce(step.a-b.y, local.l)
    }
  }
  finally "f" {
    command = ["x", step.a-b.status, local.l, var.v]
  }
}
pipeline "q" {
  step "a-b" {
    command = ["x"]
  }
}
locals {
  l = 5
  m = [for local in [1] : local.l]
}
variable "v" {
  default = "w"
}
`
	c := start(t, nil)
	c.open(main, text)
	got := c.rename(main, "depends_on = [step.a|-b]", "d")[main]
	want := strings.NewReplacer("step.a-b\"]", "step.a-b\"]", "step.a-b", "step.d").Replace(text)
	want = strings.Replace(want, `step "a-b"`, `step "d"`, 1)
	if got != want {
		t.Errorf("a step:\n%s", got)
	}
	if got := c.rename(main, "local.|l)", "k")[main]; got != strings.NewReplacer("local.l)", "local.k)", "local.l,", "local.k,", "  l = 5", "  k = 5").Replace(text) {
		t.Errorf("a local:\n%s", got)
	}
	if got := c.rename(main, `param "|n"`, "k")[main]; got != strings.NewReplacer(`"n"`, `"k"`, "param.n", "param.k", "{ n =", "{ k =").Replace(text) {
		t.Errorf("a param:\n%s", got)
	}
	if got := c.rename(main, `var.|v`, "u")[main]; got != strings.NewReplacer(`"v"`, `"u"`, "var.v", "var.u").Replace(text) {
		t.Errorf("a variable:\n%s", got)
	}
	if got := c.rename(main, `var.|v`, "v")[main]; got != text {
		t.Errorf("the same name:\n%s", got)
	}
	for _, r := range []struct{ mark, to, want string }{
		{"depends_on = [step.a|-b]", "c", `the name "c" already belongs to a step`},
		{"depends_on = [step.a|-b]", "f", `the name "f" already belongs to a finally`},
		{"depends_on = [step.a|-b]", "1x", `"1x" is not a valid name for a step. A name starts with`},
		{"depends_on = [step.a|-b]", "", `"" is not a valid name for a step`},
		{`output "|y"`, "z", "read by the step's own process"},
		{`comm|and = ["x"]`, "z", "no name here that can be renamed"},
	} {
		if err := c.refused("textDocument/rename", with(c.at(main, r.mark), object{"newName": r.to})); !strings.Contains(err.Message, r.want) {
			t.Errorf("%s to %q: %s", r.mark, r.to, err.Message)
		}
	}
	var p struct {
		Range       span
		Placeholder string
	}
	c.call("textDocument/prepareRename", c.at(main, "step.a|-b.status ="), &p)
	if p.Placeholder != "a-b" || p.Range.End.Character-p.Range.Start.Character != 3 {
		t.Errorf("%+v", p)
	}
	if err := c.refused("textDocument/prepareRename", c.at(main, `pipe|line "q"`)); err.Code != -32803 {
		t.Errorf("%+v", err)
	}
	c.end()

	// Across files.
	files := digits(t)
	c = start(t, files)
	c.open(main, files[main])
	c.open("stacks.pipec.hcl", strings.Replace(files["stacks.pipec.hcl"], "var.namespace", "var.gamma", 1))
	out := c.rename("stacks.pipec.hcl", "var.gam|ma", "delta")
	if strings.Count(out[main], "delta") != 3 || !strings.Contains(out[main], `variable "delta"`) || !strings.Contains(out["stacks.pipec.hcl"], "= var.delta") {
		t.Errorf("%s\n%s", out[main], out["stacks.pipec.hcl"])
	}
	c.end()
}

func TestSignatureHelp(t *testing.T) {
	c := start(t, nil)
	c.open("a.pipec.hcl", "locals {\n  a = replace(\"x\", max(1, 2), \n  b = abs(-1)\n}\n")
	for mark, want := range map[string]string{"max(1, |2)": "max 0", "max(1, 2), |": "replace 2", "abs(|-1)": "abs 0"} {
		var help struct {
			Signatures      []struct{ Label string }
			ActiveParameter int
		}
		c.call("textDocument/signatureHelp", c.at("a.pipec.hcl", mark), &help)
		name, n, _ := strings.Cut(want, " ")
		active, _ := json.Marshal(help.ActiveParameter)
		if len(help.Signatures) != 1 || !strings.HasPrefix(help.Signatures[0].Label, name+"(") || string(active) != n {
			t.Errorf("%s: %+v", mark, help)
		}
	}
	if !slices.Contains([]string{"", "null"}, string(c.answer(c.request("textDocument/signatureHelp", c.at("a.pipec.hcl", "loc|als"))).Result)) {
		t.Error("a signature outside of a call")
	}
	c.end()
}
