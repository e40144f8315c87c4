package lsp_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type completion struct {
	Label         string
	Detail        string
	Documentation *struct{ Value string }
	SortText      string
	Format        int `json:"insertTextFormat"`
	TextEdit      textEdit
}

func (c *client) complete(name, mark string) []completion {
	c.t.Helper()
	var list struct{ Items []completion }
	c.call("textDocument/completion", c.at(name, mark), &list)
	slices.SortStableFunc(list.Items, func(a, b completion) int { return strings.Compare(a.SortText, b.SortText) })
	return list.Items
}

func labels(items []completion) []string {
	var out []string
	for _, i := range items {
		out = append(out, i.Label)
	}
	return out
}

// half is a project as it is while it is written: none of its lines with a mark makes sense yet.
const half = `variable "gamma" {
  type = object({ low = number, high = number })
}
variable "other" {
  default = 3
}
locals {
  a = 1
  b = jo
  c = "x${va}"
  d = "${var.gamma.l}
}
image "digits" {}
stack "on" {
  orchestrator "kubernetes" {
    coordinator {
      priority
    }
    def
  }
}
stack "off" {
  orchestrator "local" {
    coord
  }
}
stack "s" {
  orchestrator "" {
    na
  }
  artifact_store 
}
pipeline "p" {
  image = 
  on_failure = ""
  code = c
  schedule {
    cron   = "0 3 * * *"
    params = { n }
  }
  param "num" {
    type = n
  }
  step "a" {
    command = ["x", outpu, input.
    output "y" {
      type = 
    }
    output "z" {
      type = number
    }
  }
  step "b" {
    python     = "m:f"
    depends_on = [step.]
    when       = step.a.status == ""
    
    ret
    input "i" {
      value = step.
    }
    input "j" {
      value = step.a.
    }
    input "k" {
      val
    }
    input "art" {
      value = step.a.y
      type  = model
    }
    env = {
      A = input.art.
      B = param.nu
    }
    retry {
      when = 
    }
    cache = t
  }
  step "asks" {
    approval {
      message = step.asks.
      type    = number
    }
    mess
  }
  step "asked" {
    when = step.asks.
  }
  step "unclosed" {
    in
  finally "f" {
    when = run.
  }
}
pi
`

func TestCompletion(t *testing.T) {
	c := start(t, nil)
	c.open(main, half)
	for _, k := range []struct {
		mark  string
		first string // the first ones
		has   string
		not   string
	}{
		{mark: "\npi|", first: "code image library locals pipec pipeline", not: "step"},
		{mark: "b = jo|", has: "join var local", not: "param step"},
		{mark: "c = \"x${va|}", has: "var local upper"},
		{mark: "var.gamma.l|}", first: "high low", not: "upper"},
		{mark: `orchestrator "|"`, first: "kubernetes local"},
		{mark: "    na|\n", not: "namespace"}, // of which kind is open
		{mark: "      priority|\n", has: "priority_class labels service_account toleration resources security image_pull_secrets", not: "command gpu volume"},
		{mark: "    def|\n", has: "default_resources image_pull_secrets namespace", not: "coordinator parallel"},
		{mark: "    coord|\n", has: "parallel", not: "coordinator default_resources image_pull_secrets"},
		{mark: "artifact_store |", first: "local s3"},
		{mark: "  image = |\n", first: "image.digits"},
		{mark: `on_failure = "|"`, first: "abort continue stop", not: "var"},
		{mark: "params = { n|", first: "num", not: "join"},
		{mark: "    type = n|", has: "number ndarray list", not: "var join"},
		{mark: "      type = |\n", has: "model object", not: "var"},
		{mark: `["x", outpu|`, has: "output output.y output.z input step param run", not: "each attempt"},
		{mark: "depends_on = [step.|]", first: "a asked asks unclosed", not: "b f join"},
		{mark: `step.a.status == "|"`, first: "cancelled failed skipped succeeded timed_out"},
		{mark: "    |\n    ret", has: "command timeout input output", not: "python depends_on when cache retry"},
		{mark: "    ret|\n", has: "timeout input", not: "retry"}, // there is one further down
		{mark: "value = step.|\n", first: "a asked asks unclosed", not: "b f"},
		{mark: "value = step.a.|\n", first: "y z exit_code message reason status", not: "join"},
		{mark: "      val|\n", first: "value default type", not: "input"},
		{mark: "A = input.art.|\n", first: "path"},
		{mark: "B = param.nu|\n", first: "num"},
		{mark: "      when = |\n", has: "attempt exit_code reason input var true false", not: "step param"},
		{mark: "cache = t|", first: "false true", has: "var", not: "step"},
		{mark: "    in|\n", first: "annotations", has: "input output command"},
		{mark: "when = run.|\n", first: "name scheduled_at status"},
		{mark: "when = step.asks.|\n", first: "value exit_code message reason status"},
		{mark: "A| = input", not: "var join"},
	} {
		got := labels(c.complete(main, k.mark))
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
	for _, mark := range []string{`cron   = "0 3| * * *"`, `python     = "m|:f"`, "default = 3|", `output "y|"`} {
		if got := labels(c.complete(main, mark)); len(got) > 0 {
			t.Errorf("%q: %v", mark, got)
		}
	}
	c.end()
}

// TestContexts: the context of a cluster is one of the kubeconfig's.
func TestContexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte("contexts:\n- {name: prod, context: {cluster: c}}\n- {name: dev, context: {cluster: c}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
	hcl, yaml := "stack \"k\" {\n  orchestrator \"kubernetes\" {\n    context = \"\"\n  }\n}\n", "stack:\n  k:\n    orchestrator:\n      kubernetes:\n        context: \"\"\n"
	c := start(t, map[string]string{"a.pipec.hcl": hcl, "b.pipec.yaml": yaml})
	for name, text := range map[string]string{"a.pipec.hcl": hcl, "b.pipec.yaml": yaml} {
		c.open(name, text)
	}
	if got := labels(c.complete("a.pipec.hcl", `context = "|"`)); !slices.Equal(got, []string{"dev", "prod"}) {
		t.Errorf("HCL: %v", got)
	}
	if got := labels(c.complete("b.pipec.yaml", `context: "|"`)); !slices.Equal(got, []string{"dev", "prod"}) {
		t.Errorf("YAML: %v", got)
	}
	c.end()
}

// TestCompletionText is what an editor writes for an item.
func TestCompletionText(t *testing.T) {
	item := func(c *client, mark, label string) (completion, string) {
		for _, i := range c.complete(main, mark) {
			if i.Label == label {
				return i, apply(t, c.texts[main], []textEdit{i.TextEdit})
			}
		}
		t.Fatalf("%q: no %s", mark, label)
		return completion{}, ""
	}
	const text = "# 𝄞\npipeline \"p\" {\n  st\n  on_fai\n  sch = 1\n  step \"a-1\" {\n    command = [step.a-2.y, ma]\n  }\n  step \"a-2\" {}\n  param \"x\" { default = 1 }\n}\nstack \"s\" {\n  artifact_store loc\n}\n"
	c := start(t, nil)
	c.open(main, text)
	if i, got := item(c, "  st|\n", "step"); i.Format != 2 || !strings.Contains(got, "\n  step \"${1:name}\" {\n\t$0\n}\n") || i.Documentation == nil {
		t.Errorf("%+v\n%s", i, got)
	}
	if i, got := item(c, "on_fai|", "on_failure"); i.Format != 2 || !strings.Contains(got, "  on_failure = \"${1|continue,stop,abort|}\"\n") {
		t.Errorf("%+v\n%s", i, got)
	}
	if i, got := item(c, "sch| = 1", "labels"); i.Format == 2 || !strings.Contains(got, "  labels = 1\n") {
		t.Errorf("%+v\n%s", i, got)
	}
	if _, got := item(c, "step.a-|2", "a-2"); got != text {
		t.Errorf("%s", got)
	}
	if i, got := item(c, "ma|]", "max"); i.Format != 2 || !strings.Contains(got, "[step.a-2.y, max($1)]") || !strings.HasPrefix(i.Detail, "max(") {
		t.Errorf("%+v\n%s", i, got)
	}
	if i, got := item(c, "ma|]", "param.x"); i.Detail != "number" || !strings.Contains(got, "[step.a-2.y, param.x]") {
		t.Errorf("%+v\n%s", i, got)
	}
	if _, got := item(c, "artifact_store loc|", "local"); !strings.Contains(got, "artifact_store \"local\"\n") {
		t.Errorf("%s", got)
	}
	c.end()

	// A client without snippets gets plain text.
	c = launch(t, t.TempDir())
	c.initialize(object{})
	c.open(main, text)
	for _, mark := range []string{"  st|\n", "ma|]", "on_fai|"} {
		for _, i := range c.complete(main, mark) {
			if i.Format == 2 || strings.Contains(i.TextEdit.NewText, "$") {
				t.Errorf("%+v", i)
			}
		}
	}
	c.end()
}
