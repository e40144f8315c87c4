package lsp_test

import (
	"slices"
	"strings"
	"testing"
)

const mainYAML = "main.pipec.yaml"

// wholeYAML is a project in YAML that compiles, except for what it calls in another file.
const wholeYAML = `# the project
variable:
  gamma: {type: number, default: 0.001, description: "How soft it is."}
image:
  tools: {base: "debian:12"}
pipeline:
  train:
    image: image.tools
    param:
      rounds:
        type: number
        default: ${var.gamma}
    step:
      load:
        command: [sh, -c, "echo 𝄞 ${param.rounds}"]
        output:
          rows: {type: ndarray}
      fit:
        depends_on:
          - step.load
        command:
          - ./fit
          - "${input.rows.path} ${join(\",\", split(\" \", run.name))}"
        input:
          rows: {value: "${step.load.rows}"}
          rounds: {value: '${param.rounds}'}
        output:
          model:
            type: model
        cache: false
        toleration:
          - key: spot
          - {key: gpu}
      again:
        when: ${step.load.status == "succeeded"}
        pipeline: pipeline.other
        input:
          x: {value: "${param.rounds}"}
    output:
      model: {value: "${step.fit.model}"}
`

const otherHCL = "pipeline \"other\" {\n  param \"x\" { type = number }\n  step \"s\" { command = [\"true\"] }\n}\n"

func TestYAMLHover(t *testing.T) {
	c := start(t, map[string]string{"other.pipec.hcl": otherHCL})
	if ds := c.open(mainYAML, wholeYAML); len(ds) > 0 {
		t.Errorf("%+v", ds)
	}
	for _, h := range []struct {
		mark string
		want []string
	}{
		{"pipe|line:\n", []string{`pipeline "name" { … }`}},
		{"  tra|in:", []string{`pipeline "train"`, "main.pipec.yaml, line 7"}},
		{"    st|ep:", []string{`step "name" { … }`, "A unit of work"}},
		{"      fi|t:", []string{`step "fit"`, "`model` model"}},
		{"comm|and: [sh", []string{"command = list(string)"}},
		{"${param.rou|nds}\"]", []string{`param "rounds": number`}},
		{"default: ${var.gam|ma}", []string{`variable "gamma": number`, "How soft it is.", "Default: `0.001`"}},
		{"image.to|ols", []string{`image "tools"`}},
		{"- step.lo|ad", []string{`step "load"`, "`rows` ndarray"}},
		{"${input.ro|ws.path}", []string{`input "rows": ndarray`}},
		{"jo|in(", []string{"join(", "delimiter"}},
		{"run.na|me)", []string{"run.name: string"}},
		{"step.load.sta|tus", []string{"step.load.status: string"}},
		{"step.load.ro|ws}", []string{`output "rows": ndarray`}},
		{"cac|he: false", []string{"cache = bool"}},
		{"toler|ation:", []string{"toleration"}},
		{"- ke|y: spot", []string{"key = string"}},
		{"{ke|y: gpu}", []string{"key = string"}},
		{"pipeline.ot|her", []string{`pipeline "other"`, "other.pipec.hcl, line 1"}},
		{"          x|: {value", []string{`input "x": number`}},
		{"# the pro|ject", nil},
		{"echo| 𝄞", nil},
		{"./f|it", nil},
	} {
		got := c.hover(mainYAML, h.mark)
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

func TestYAMLNavigation(t *testing.T) {
	c := start(t, map[string]string{"other.pipec.hcl": otherHCL})
	c.open(mainYAML, wholeYAML)
	for mark, want := range map[string]string{
		"step.load.ro|ws}": "          |rows: {type", "- step.lo|ad": "      |load:", "param.rou|nds}\"]": "      |rounds:\n", "var.gam|ma": "  |gamma:",
		"image.to|ols": "  |tools:", "[sh, -c, \"echo 𝄞 ${param.rou|nds}": "      |rounds:\n", "step.fit.mod|el": "          |model:\n",
	} {
		var at location
		c.call("textDocument/definition", c.at(mainYAML, mark), &at)
		if at.URI != c.uri(mainYAML) || at.Range.Start != c.at(mainYAML, want)["position"] {
			t.Errorf("%s: %+v", mark, at)
		}
	}
	var at location
	c.call("textDocument/definition", c.at(mainYAML, "pipeline.ot|her"), &at)
	if at.URI != c.uri("other.pipec.hcl") || at.Range.Start != (position{0, 10}) {
		t.Errorf("%+v", at)
	}
	var refs []location
	c.call("textDocument/references", with(c.at(mainYAML, "      lo|ad:"), object{"context": object{"includeDeclaration": true}}), &refs)
	if len(refs) != 4 {
		t.Errorf("%d references to the step: %+v", len(refs), refs)
	}
	var tree []symbol
	c.call("textDocument/documentSymbol", object{"textDocument": object{"uri": c.uri(mainYAML)}}, &tree)
	if got := names(tree); got != "variable:gamma image:tools pipeline:train[param:rounds step:load[output:rows] step:fit[input:rows input:rounds output:model :toleration :toleration] step:again[input:x] output:model]" {
		t.Error(got)
	}
	c.end()
}

func names(tree []symbol) string {
	var out []string
	for _, s := range tree {
		text := s.Detail + ":" + s.Name
		if len(s.Children) > 0 {
			text += "[" + names(s.Children) + "]"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// TestYAMLRename: of a param of a pipeline in HCL that a step in YAML calls, and the other way round.
func TestYAMLRename(t *testing.T) {
	c := start(t, map[string]string{"other.pipec.hcl": otherHCL})
	c.open(mainYAML, wholeYAML)
	c.open("other.pipec.hcl", otherHCL)
	var edit struct{ Changes map[string][]textEdit }
	c.call("textDocument/rename", with(c.at("other.pipec.hcl", `param "|x"`), object{"newName": "start"}), &edit)
	if got := apply(t, wholeYAML, edit.Changes[c.uri(mainYAML)]); !strings.Contains(got, "\n          start: {value: \"${param.rounds}\"}\n") {
		t.Errorf("%s", got)
	}
	c.call("textDocument/rename", with(c.at(mainYAML, "- step.lo|ad"), object{"newName": "read"}), &edit)
	got := apply(t, wholeYAML, edit.Changes[c.uri(mainYAML)])
	for _, want := range []string{"      read:\n", "- step.read\n", `${step.read.status == "succeeded"}`, `"${step.read.rows}"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	for name, want := range map[string]string{"fit": "already belongs", "9": "is not a valid name", "a b": "is not a valid name", "": "is not a valid name"} {
		if err := c.refused("textDocument/rename", with(c.at(mainYAML, "      lo|ad:"), object{"newName": name})); !strings.Contains(err.Message, want) {
			t.Errorf("%q: %+v", name, err)
		}
	}
	if err := c.refused("textDocument/prepareRename", c.at(mainYAML, "          mo|del:\n")); !strings.Contains(err.Message, "step's own process") {
		t.Errorf("%+v", err)
	}
	c.end()
}

// halfYAML is a project as it is while it is written.
const halfYAML = `variable:
  gamma:
    type: object({ low = number, high = number })
  other: {default: 3}
locals:
  b: ${jo
  c: "x${va}"
  d: ${var.gamma.l}
  e: ot
image:
  digits: {}
stack:
  s:
    orchestrator:
      lo
    artifact_store:
      local:
        pa
pipeline:
  p:
    image: 
    on_failure: con
    code: code.
    schedule:
      cron: 0 3 * * *
      params: {n}
    param:
      num:
        type: n
    step:
      a:
        command: [x, "${outpu}", "${input.", ]
        output:
          y:
            type: 
          z: {type: number}
      b:
        python: "m:f"
        depends_on: [step.]
        when: "${step.a.status == \"\"}"
        
        ret
        input:
          i:
            value: ${step.}
          j: {value: "${step.a.}"}
          k:
            val
          art: {value: "${step.a.y}", type: model}
          
        env:
          A: ${input.art.}
          B: "${param.nu}"
          C: 
        cache: t
      last:
        command:
          - ${step.a.
          - 
        toleration:
          - key: x
            op
        
    fin
pi
`

func TestYAMLCompletion(t *testing.T) {
	c := start(t, nil)
	c.open(mainYAML, halfYAML)
	for _, k := range []struct{ mark, first, has, not string }{
		{mark: "fin\npi|", first: "code library pipec", not: "step locals pipeline image"}, // which exist there already
		{mark: "${jo|", has: "join var local", not: "param step"},
		{mark: "c: \"x${va|}", has: "var local upper"},
		{mark: "var.gamma.l|}", first: "high low", not: "upper"},
		{mark: "e: ot|", first: "${local.b} ${local.c}", has: "${var.other}"},
		{mark: "      lo|\n", first: "kubernetes local"},
		{mark: "        pa|\n", first: "path", not: "region"},
		{mark: "    image: |\n", first: "image.digits"},
		{mark: "on_failure: con|", first: "abort continue stop"},
		{mark: "params: {n|", first: "num", not: "join"},
		{mark: "type: n|\n", has: "number ndarray list", not: "var join"},
		{mark: "            type: |\n", has: "model object", not: "var"},
		{mark: `"${outpu|`, has: "output output.y output.z input step param run", not: "each attempt"},
		{mark: "depends_on: [step.|]", first: "a last", not: "b f join"},
		{mark: `step.a.status == \"|\"`, first: "cancelled failed skipped succeeded timed_out"},
		{mark: "        |\n        ret", has: "command timeout output retry", not: "python depends_on when cache input"},
		{mark: "        ret|\n", has: "timeout retry", not: "input"},
		{mark: "value: ${step.|}", first: "a last", not: "b f"},
		{mark: `"${step.a.|}"`, first: "y z exit_code message reason status", not: "join"},
		{mark: "            val|\n", first: "value default type", not: "input"},
		{mark: "type: model}\n        |  ", first: "annotations", not: "value"},
		{mark: "A: ${input.art.|}", first: "path"},
		{mark: "${param.nu|}", first: "num"},
		{mark: "          C: |\n", has: "${input.art} ${param.num} ${step.a.y} ${var.other}", not: "join"},
		{mark: "cache: t|", first: "false true", has: "${var.other}", not: "step"},
		{mark: "- ${step.a.|", first: "y z exit_code"},
		{mark: "          - |\n", has: "${step.a.y}"},
		{mark: "            op|\n", first: "effect operator", not: "key"},
		{mark: "            op\n        |\n", first: "annotations", has: "sidecar", not: "command toleration"},
		{mark: "    fin|\n", has: "finally timeout output", not: "step image param"},
	} {
		got := labels(c.complete(mainYAML, k.mark))
		if first := strings.Fields(k.first); len(got) < len(first) || !slices.Equal(got[:len(first)], first) {
			t.Errorf("%q: first %v, not %v", k.mark, got[:min(len(got), len(first)+2)], first)
		}
		for _, has := range strings.Fields(k.has) {
			if !slices.Contains(got, has) {
				t.Errorf("%q: %s is missing in %v", k.mark, has, got)
			}
		}
		for _, not := range strings.Fields(k.not) {
			if slices.Contains(got, not) {
				t.Errorf("%q: %s is in %v", k.mark, not, got)
			}
		}
	}
	for _, mark := range []string{"python: \"m|:f", "variable:|\n", "  s:|\n"} {
		if got := labels(c.complete(mainYAML, mark)); slices.Contains(got, "command") || slices.Contains(got, "join") {
			t.Errorf("%q: %v", mark, got)
		}
	}
	c.end()
}

// TestYAMLCompletionText is what an editor writes for an item.
func TestYAMLCompletionText(t *testing.T) {
	const text = "# 𝄞\npipeline:\n  p:\n    st\n  q:\n    on_fai\n    param: {x: {default: 1}}\n    step:\n      a-1:\n        command: [\"${ma}\", ${step.a-2.y}, ]\n      a-2: {output: {y: {type: file}}}\nstack:\n  s:\n    artifact_store:\n      loc\n"
	item := func(c *client, mark, label string) (completion, string) {
		for _, i := range c.complete(mainYAML, mark) {
			if i.Label == label {
				return i, apply(t, c.texts[mainYAML], []textEdit{i.TextEdit})
			}
		}
		t.Errorf("%q: no %s", mark, label)
		return completion{}, ""
	}
	c := start(t, nil)
	c.open(mainYAML, text)
	if i, got := item(c, "    st|\n", "step"); i.Format != 2 || !strings.Contains(got, "\n    step:\n  ${1:name}:\n    $0\n") || i.Documentation == nil {
		t.Errorf("%+v\n%s", i, got)
	}
	if _, got := item(c, "on_fai|", "on_failure"); !strings.Contains(got, "    on_failure: ${1|continue,stop,abort|}\n") {
		t.Errorf("%s", got)
	}
	if _, got := item(c, "    para|m: {", "max_parallel"); !strings.Contains(got, "    max_parallel: {x") {
		t.Errorf("%s", got)
	}
	if _, got := item(c, "step.a-|2", "a-2"); got != text {
		t.Errorf("%s", got)
	}
	if _, got := item(c, "${ma|}", "max"); !strings.Contains(got, `["${max($1)}"`) {
		t.Errorf("%s", got)
	}
	if i, got := item(c, ", |]", "${param.x}"); i.Detail != "number" || !strings.Contains(got, `, "${param.x}"]`) {
		t.Errorf("%+v\n%s", i, got)
	}
	if _, got := item(c, "      loc|\n", "local"); !strings.Contains(got, "      local:\n") {
		t.Errorf("%s", got)
	}
	c.end()
}
